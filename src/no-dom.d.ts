/**
 * Stands in for the library of browser types, which the declarations of a template library ask for: no browser is here,
 * and its names would hide the runtime's own.
 */
export {};
