/** Sets an own field, also one that is called `__proto__`, as a user's own document may have it. */
export function setField<T>(target: Record<string, T>, name: string, value: T): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}
