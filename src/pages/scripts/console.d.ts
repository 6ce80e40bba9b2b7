/** Embedded as text and served as it is; never run by us. */
declare const text: string;
export default text;
