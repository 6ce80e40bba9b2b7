import { isLoopbackAddress } from '../../core/special-address.ts';
import { renderMailbox } from '../../pages/mailbox.tsx';
import type { MailboxView } from '../../pages/views.ts';
import { openMail } from '../../service/credentials/mails.ts';
import { show, showError, type Visit } from './visit.ts';

/** The newest mails that are listed. */
const MOST = 100;

/**
 * The development mailbox: what would have been sent, codes and links included. It is there while nothing is sent and the
 * server lives on loopback, and for callers on this machine only; elsewhere there is nothing at its address.
 */
export async function showMailbox(visit: Visit): Promise<Response> {
  const { server, tenant, arrival, base, chrome, parts } = visit;
  const { ctx } = server;
  const { ip } = arrival.peer;
  if (!server.mailbox || !ctx.origin().loopback || ip === null || !isLoopbackAddress(ip)) return showError(visit, 404, 'not_found');
  const items = await ctx.store.listMailbox(tenant.id, MOST);
  const mails = items.map((item) => ({ item, ...openMail(ctx, item) }));
  const wanted = parts['id'];
  const open = wanted === undefined ? null : mails.find(({ item }) => item.id === wanted);
  if (open === undefined) return showError(visit, 404, 'not_found');
  const view: MailboxView = {
    mails: mails.map(({ item, subject }) => ({ id: item.id, to: item.target, subject, atMs: item.createdAtMs, href: `${base}/mailbox/${item.id}` })),
    open: open === null ? null : { to: open.item.target, subject: open.subject, atMs: open.item.createdAtMs, text: open.text },
  };
  return show(visit, { html: renderMailbox(chrome, view) });
}
