/** Does something now and again, the next time a while after the last has ended; what it throws is for itself to tell. */
export function repeat(work: () => Promise<void>, everyMs: number): { close(): Promise<void> } {
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const turn = async () => {
    await work().catch(() => undefined);
    if (!isClosed) timer = setTimeout(() => (current = turn()), everyMs);
  };
  let current = turn();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await current;
    },
  };
}
