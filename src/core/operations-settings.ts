/** How a tenant is operated. JSON in the tenant's row. */
export type OperationsSettings = {
  /** Days after which the key that signs gives way to the next; null: only by command (JK-04). */
  readonly keyRotationDays: number | null;
  /** Days for which audit events are kept; null: for ever (LG-08). */
  readonly auditRetentionDays: number | null;
  readonly limits: RequestLimits;
};

/** Requests per minute; null: as many as come. */
export type RequestLimits = {
  /** Of all callers together. */
  readonly tenant: number | null;
  /** Of one client. */
  readonly client: number | null;
  /** From one address (IPv6: /64). */
  readonly address: number | null;
  /** Tries to sign in to one account. */
  readonly account: number | null;
};

/** What a tenant has that was never told otherwise. */
export const defaultOperationsSettings: OperationsSettings = {
  keyRotationDays: 90, auditRetentionDays: null, limits: { tenant: null, client: null, address: null, account: null },
};
