/** Resolves with all of the promises, or when the time is over; rejects when one does before. */
export async function withinTime(promises: readonly Promise<unknown>[], ms: number): Promise<void> {
  if (promises.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([Promise.all(promises), over]);
  } finally {
    clearTimeout(timer);
  }
}
