/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return */
// @ts-nocheck: for browsers, where the types of this program are not; a browser tests it.
// The console works without this. It copies, brings the search box under a finger, and shows events as they come.
(() => {
  const search = document.querySelector('.seek input[name=q]');
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || search === null) return;
    const { target } = event;
    if (target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // Only where there is a clipboard: on plain http that is this machine alone.
  if (navigator.clipboard !== undefined) {
    for (const button of document.querySelectorAll('[data-copy]')) {
      button.hidden = false;
      button.addEventListener('click', async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.dataset.done = '';
        button.setAttribute('aria-label', 'Copied');
        setTimeout(() => {
          delete button.dataset.done;
          button.setAttribute('aria-label', 'Copy');
        }, 2000);
      });
    }
  }

  // One switcher is open at a time, and Escape closes it.
  const open = document.querySelector('.switch');
  document.addEventListener('click', (event) => {
    if (open !== null && open.open && !open.contains(event.target)) open.open = false;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && open !== null && open.open) {
      open.open = false;
      open.querySelector('summary').focus();
    }
  });

  const feed = document.querySelector('[data-live]');
  if (feed !== null && typeof EventSource === 'function') {
    const most = 200;
    const state = document.querySelector('.live-state');
    const rows = feed.querySelector('tbody');
    const say = (text) => {
      if (state !== null) state.textContent = text;
    };
    let source = null;
    const stop = () => {
      if (source !== null) source.close();
      source = null;
    };
    const start = () => {
      if (source !== null || rows === null) return;
      source = new EventSource(feed.dataset.live);
      say('Connecting…');
      source.addEventListener('open', () => say('New events appear by themselves.'));
      source.addEventListener('error', () => say(source !== null && source.readyState === EventSource.CLOSED ? 'Not connected: load the page again.' : 'Interrupted; trying again…'));
      source.addEventListener('event', (message) => {
        const template = document.createElement('template');
        template.innerHTML = message.data;
        const row = template.content.firstElementChild;
        if (row === null) return;
        row.classList.add('fresh');
        rows.prepend(row);
        while (rows.children.length > most) rows.lastElementChild.remove();
      });
    };
    // A page that nobody looks at takes no connection.
    document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
    addEventListener('pagehide', stop);
    if (!document.hidden) start();
  }
})();
