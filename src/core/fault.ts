/** Why a thing may not be as somebody wants it. */
export type Fault = {
  /** Its wrong member, as its type calls it; null: none in particular. */
  readonly member: string | null;
  readonly description: string;
  /** What to do, for who works with commands; null: that follows from the description. */
  readonly hint: string | null;
};

/** A fault of one member. */
export function faultOf(member: string | null, description: string, hint: string | null = null): Fault {
  return { member, description, hint };
}
