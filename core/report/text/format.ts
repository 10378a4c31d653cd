export const NOT_DEFINED = 'not defined';

const MINUS = '\u2212';
/** No-break space, between a number and its unit. */
const NBSP = '\u00a0';

function withSign(value: number, size: string): string {
  return value < 0 ? MINUS + size : size;
}

/**
 * A rate, gap or AUC to three decimals. A value that is not 0 never reads as 0.000, and one that is below 1
 * never reads as 1.000; a value that does not exist is said so.
 */
export function rate(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NOT_DEFINED;
  const size = Math.abs(value);
  if (size > 0 && size < 0.0005) return withSign(value, '<0.001');
  if (size >= 0.9995 && size < 1) return withSign(value, '>0.999');
  return withSign(value, size.toFixed(3));
}

/** A difference with its sign, to three decimals; 0.000 stands for "the same to three decimals". */
export function signed(value: number): string {
  const size = Math.abs(value).toFixed(3);
  if (size === '0.000') return size;
  return value < 0 ? MINUS + size : `+${size}`;
}

/** A number of things, with thousands separators; sums of a soft mask keep one decimal. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 }).replace('-', MINUS);
}

/** A share in [0, 1] as a percentage with one decimal. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return `<0.1${NBSP}%`;
  if (share >= 0.9995 && share < 1) return `>99.9${NBSP}%`;
  return `${(share * 100).toFixed(1)}${NBSP}%`;
}

/** A loss to four significant digits, trailing zeros kept so that columns line up. */
export function loss(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(4).replaceAll('-', MINUS) : NOT_DEFINED;
}

/** A setting to four significant digits, so that small ones stay readable. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return NOT_DEFINED;
  return String(Number(value.toPrecision(4))).replaceAll('-', MINUS);
}

/** `1 sample`, `877 samples` */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A decision threshold: three decimals, or four significant digits where three decimals would round it. */
export function threshold(value: number): string {
  const text = significant(value);
  return /^\d(\.\d{0,2})?$/.test(text) ? value.toFixed(3) : text;
}

/** The decision threshold of an audit. */
export function thresholdText(value: number | null): string {
  return value === null ? 'not known, the table held predictions only' : threshold(value);
}
