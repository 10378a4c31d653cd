import type { Call } from './call.ts';
import { malformed, unsupported } from './call.ts';
import { range } from './shapes.ts';

type Pads = readonly [before: number, after: number];

/** How a window moves over the two axes of an image. */
export interface Windows {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Before and after, of height and of width. */
  readonly pads: readonly [Pads, Pads];
  /** With what sticks out where windows that do not fit are counted. */
  readonly margins: readonly [Pads, Pads];
  /** Height and width of the result. */
  readonly extents: readonly [number, number];
}

/** Extents of an image [B, C, H, W]. */
interface Area {
  /** [B, C, H, W] */
  readonly shape: readonly number[];
  readonly size: readonly number[];
}

/**
 * Windows of a convolution or a pool over images.
 *
 * @throws UnsupportedModelError for signals and volumes, which have one axis or three
 */
export function windowsOf(call: Call, { shape, size }: Area): Windows {
  const { attributes } = call.node;
  if (shape.length !== 4 || size.length !== 2) {
    throw unsupported(
      call,
      `expected images [batch, channels, height, width], received [${shape.join(', ')}]`,
    );
  }
  const strides = attributes.ints('strides') ?? [1, 1];
  const dilations = attributes.ints('dilations') ?? [1, 1];
  const isCount = (value: number | undefined) => Number.isInteger(value) && value! >= 1;
  const axes = [0, 1] as const;
  if (![...size, ...axes.flatMap((axis) => [strides[axis], dilations[axis]])].every(isCount)) {
    throw malformed(call, 'expected sizes, strides and dilations of 1 or more');
  }
  const reach = axes.map((axis) => (size[axis]! - 1) * dilations[axis]! + 1);
  const area = shape.slice(2);
  const pads = padsOf(call, { area, reach, strides });
  const isCeiled = attributes.int('ceil_mode', 0) === 1;
  const extents = axes.map((axis) => {
    const [before, after] = pads[axis]!;
    const room = area[axis]! + before + after - reach[axis]!;
    if (room < 0)
      throw malformed(call, `expected windows within [${shape.join(', ')}], received larger ones`);
    const whole = Math.floor(room / strides[axis]!) + 1;
    if (!isCeiled || room % strides[axis]! === 0) return whole;
    // one more window, which sticks out, unless it would lie in the padding alone
    return whole * strides[axis]! >= area[axis]! + before ? whole : whole + 1;
  });
  const margins = axes.map((axis): Pads => {
    const [before, after] = pads[axis]!;
    const needed = (extents[axis]! - 1) * strides[axis]! + reach[axis]! - area[axis]! - before;
    return [before, Math.max(needed, after)];
  });
  return {
    size,
    strides,
    dilations,
    pads,
    margins: isCeiled ? margins : pads,
    extents,
  } as unknown as Windows;
}

interface PadInput {
  readonly area: readonly number[];
  readonly reach: readonly number[];
  readonly strides: readonly number[];
}

function padsOf(call: Call, { area, reach, strides }: PadInput): [number, number][] {
  const { attributes } = call.node;
  const automatic = attributes.text('auto_pad', 'NOTSET');
  if (automatic === 'VALID')
    return [
      [0, 0],
      [0, 0],
    ];
  if (automatic === 'NOTSET') {
    const pads = attributes.ints('pads') ?? [0, 0, 0, 0];
    const pairs = range(2).map((axis): [number, number] => [pads[axis]!, pads[axis + 2]!]);
    const isPad = (width: number) => Number.isInteger(width) && width >= 0;
    if (pads.length === 4 && pads.every(isPad)) return pairs;
    throw malformed(call, `expected four pads of 0 or more, received [${pads.slice(0, 8).join(', ')}]`);
  }
  if (automatic !== 'SAME_UPPER' && automatic !== 'SAME_LOWER') {
    throw malformed(call, `expected auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER, received ${automatic}`);
  }
  return range(2).map((axis) => {
    const windows = Math.ceil(area[axis]! / strides[axis]!);
    const total = Math.max((windows - 1) * strides[axis]! + reach[axis]! - area[axis]!, 0);
    const less = Math.floor(total / 2);
    return automatic === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
  });
}
