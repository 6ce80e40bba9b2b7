/** @jsxImportSource preact */
/** Line drawings, 24 × 24, in the colour of the words beside them. They only decorate: no reader is told of them. */
import type { VNode } from 'preact';

const paths = {
  alert: 'M12 8v5m0 3.5v.01M10.3 4 2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z',
  app: 'M4 5.5h16v13H4zM4 9.5h16M7 7.5h.01M9.5 7.5h.01',
  chart: 'M4 20.500h16M6.500 17v-5m5.500 5V6m5.500 11V9.500',
  chevron: 'm6.500 9.500 5.500 5.500 5.500-5.500',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3.5 2',
  copy: 'M8.500 8.500h11v11h-11zM15.500 8.500v-4h-11v11h4',
  device: 'M4 5.5h16v10.5H4zM2.5 19.5h19M9.5 16v3.5m5-3.5v3.5',
  download: 'M12 4v11m-4.5-4.5L12 15l4.5-4.5M4.5 19.5h15',
  forward: 'M5 12h14m-5.5-5.5L19 12l-5.5 5.5',
  gear: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0-12v3m0 12v3m9-9h-3M6 12H3m15.400-6.400-2.100 2.100M7.700 16.300l-2.100 2.100m12.800 0-2.100-2.100M7.700 7.700 5.600 5.600',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3.5 12h17M12 3c2.5 2.5 3.5 5.5 3.5 9s-1 6.5-3.5 9c-2.5-2.5-3.5-5.5-3.5-9s1-6.5 3.5-9Z',
  house: 'M4 11.5 12 4.5l8 7M6.5 9.5v10h11v-10',
  key: 'M15 13.5a4.5 4.5 0 1 0-4.300-3.100L4 17v3h3.5v-2.5H10V15l1.5-1.5a4.5 4.5 0 0 0 3.5 0ZM16 8.5v.01',
  hook: 'M9 7.500a3 3 0 1 1 4.500 2.600l2.500 4.400M7.500 12a3.500 3.500 0 1 0 3.500 4.500h5M16.500 20a3 3 0 1 0-.500-5.900',
  list: 'M8.500 6.500h11m-11 5.500h11m-11 5.500h11M4.500 6.500h.010M4.500 12h.010M4.500 17.500h.010',
  lock: 'M6 10.5h12v9.5H6zM8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5M12 14v2.5',
  mail: 'M3.5 6h17v12.5h-17zM4 6.5l8 6.5 8-6.5',
  menu: 'M4 7h16M4 12h16M4 17h16',
  passkey: 'M9.5 11.5a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5ZM3 20v-1.5a4.5 4.5 0 0 1 4.5-4.5h4M17.5 14.5a2.5 2.5 0 1 0-.01 0v6l1.5-1.5-1.300-1.300 1.300-1.300',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9v-1a5 5 0 0 1 5-5h2a5 5 0 0 1 5 5v1M16 4.5a3.5 3.5 0 0 1 0 6.5m2 3.5a5 5 0 0 1 3 4.5v1',
  person: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5v-1a5 5 0 0 1 5-5h5a5 5 0 0 1 5 5v1',
  repeat: 'M4.5 11a7.5 7.5 0 0 1 13-4.5L20 9M20 4v5h-5M19.5 13a7.5 7.5 0 0 1-13 4.5L4 15m0 5v-5h5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4.500 4.500',
  shield: 'M12 3 5 5.5V11c0 4.5 2.800 8 7 10 4.200-2 7-5.5 7-10V5.5L12 3Zm-3 9 2.200 2.200L15.200 10',
  tenant: 'M4.500 20.500v-17h9v17m0-11h6v11M3 20.500h18M7.500 7.500h3m-3 4h3m-3 4h3m6-2.500v.010m0 3.500v.010',
} as const;

export type IconName = keyof typeof paths;

/** @param size pixels */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): VNode {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
