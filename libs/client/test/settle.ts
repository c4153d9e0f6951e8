/** Lets promises that wait for nothing but each other finish. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
