/** Passes on the first of many calls, and then at most one per interval: for logs of what fails over and over. */
export function oncePer<T>(
  intervalMs: number,
  act: (value: T) => void,
  now = () => performance.now(),
): (value: T) => void {
  let next = 0;
  return (value) => {
    if (now() < next) return;
    next = now() + intervalMs;
    act(value);
  };
}
