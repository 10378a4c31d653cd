interface Remembered<T> {
  readonly at: number;
  readonly value: Promise<T>;
}

const MOST_REMEMBERED = 1000;

/**
 * Keeps what something found out for a while, so that who asks again soon does not cause it again; two who ask at
 * once cause it once. What failed is not kept.
 */
export function remember<T>(now: () => Date, ms: number) {
  const known = new Map<string, Remembered<T>>();
  return (name: string, find: () => Promise<T>): Promise<T> => {
    const at = now().getTime();
    const last = known.get(name);
    if (last !== undefined && at - last.at < ms) return last.value;
    const value = find();
    known.delete(name);
    known.set(name, { at, value });
    value.catch(() => known.delete(name));
    // The eldest goes.
    if (known.size > MOST_REMEMBERED) known.delete(known.keys().next().value!);
    return value;
  };
}
