export interface BudgetedCache<V> {
  get(key: string): V | undefined;
  /** Returns the value. */
  set(key: string, value: V): V;
  readonly size: number;
}

/** A map by text that forgets what was used longest ago once keys and `overhead` per entry exceed `budget` characters. */
export function createBudgetedCache<V>(budget: number, overhead: number): BudgetedCache<V> {
  const entries = new Map<string, V>();
  let spent = 0;
  const cost = (key: string) => key.length + overhead;

  function remove(key: string): void {
    if (entries.delete(key)) spent -= cost(key);
  }

  function set(key: string, value: V): V {
    if (cost(key) > budget) return value;
    remove(key);
    entries.set(key, value);
    spent += cost(key);
    for (const oldest of entries.keys()) {
      if (spent <= budget) break;
      remove(oldest);
    }
    return value;
  }

  function get(key: string): V | undefined {
    const value = entries.get(key);
    if (value === undefined) return undefined;
    entries.delete(key);
    entries.set(key, value);
    return value;
  }

  return {
    get,
    set,
    get size() {
      return entries.size;
    },
  };
}
