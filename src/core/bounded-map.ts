/**
 * A map that never holds more than twice `generation` entries: when the young generation is full, the old one is
 * dropped and the young one grows old; what is read from the old one becomes young again. Reads and writes cost one or
 * two hash lookups, and what is in use stays.
 */
export class BoundedMap<K, V> {
  readonly #generation: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  /** Reads so far that found something, and that did not. */
  hits = 0;
  misses = 0;

  /** @param generation entries per generation, at least 1 */
  constructor(generation: number) {
    this.#generation = generation;
  }

  /** The value, or undefined. */
  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) {
      this.hits += 1;
      return young;
    }
    const old = this.#old.get(key);
    if (old === undefined) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#generation && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
