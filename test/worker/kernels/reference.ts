import fc from 'fast-check';

type Padding = 'same' | 'valid' | number | [[0, 0], [number, number], [number, number], [0, 0]];

/** A convolution or pooling, with its geometry worked out here and not by tfjs. */
export interface WindowCase {
  readonly images: number;
  readonly channels: number;
  /** Output channels of a convolution; outputs per channel of a depthwise one. */
  readonly outputs: number;
  readonly pad: Padding;
  readonly rows: Axis;
  readonly columns: Axis;
}

interface Axis {
  readonly size: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly output: number;
}

type AxisChoice = Record<'extra' | 'taps' | 'stride' | 'dilation' | 'before' | 'after', number>;

const axisChoice = fc.record({
  extra: fc.nat(6),
  taps: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat(4),
  after: fc.nat(4),
});

function axisOf(kind: string, { extra, taps, stride, dilation, before, after }: AxisChoice): Axis {
  const reach = (taps - 1) * dilation + 1;
  if (kind === 'same') {
    const size = 1 + extra;
    const output = Math.ceil(size / stride);
    const missing = Math.max(0, (output - 1) * stride + reach - size);
    const half = Math.floor(missing / 2);
    return { size, taps, stride, dilation, before: half, after: missing - half, output };
  }
  const [first, last] = kind === 'valid' ? [0, 0] : [before, kind === 'number' ? before : after];
  const size = Math.max(1, reach - first - last) + extra;
  const output = Math.floor((size + first + last - reach) / stride) + 1;
  return { size, taps, stride, dilation, before: first, after: last, output };
}

function paddingOf(kind: string, rows: Axis, columns: Axis): Padding {
  if (kind === 'same' || kind === 'valid') return kind;
  if (kind === 'number') return rows.before;
  return [
    [0, 0],
    [rows.before, rows.after],
    [columns.before, columns.after],
    [0, 0],
  ];
}

/**
 * Windows over small images: odd sizes, non-square, one image or more, all paddings, pads beyond the filter.
 * With a numeric pad tfjs derives the width from the filter's height, so there the axes are alike.
 */
export function windowCases({ dilated }: { dilated: boolean }): fc.Arbitrary<WindowCase> {
  return fc
    .record({
      kind: fc.constantFrom('same', 'valid', 'number', 'explicit'),
      images: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 20 }),
      outputs: fc.integer({ min: 1, max: 20 }),
      isDilated: dilated ? fc.boolean() : fc.constant(false),
      row: axisChoice,
      column: axisChoice,
    })
    .map(({ kind, images, channels, outputs, isDilated, row, column }) => {
      const width = kind === 'number' ? { ...row, extra: column.extra } : column;
      const rows = axisOf(kind, withoutConflict(row, isDilated));
      const columns = axisOf(kind, withoutConflict(width, isDilated));
      return { images, channels, outputs, pad: paddingOf(kind, rows, columns), rows, columns };
    });
}

/** tfjs allows either a stride or a dilation above 1. */
function withoutConflict(choice: AxisChoice, isDilated: boolean): AxisChoice {
  return isDilated ? { ...choice, stride: 1 } : { ...choice, dilation: 1 };
}

export const strides = ({ rows, columns }: WindowCase): [number, number] => [rows.stride, columns.stride];
export const dilations = ({ rows, columns }: WindowCase): [number, number] => [
  rows.dilation,
  columns.dilation,
];

export function shapes(test: WindowCase, { depthwise }: { depthwise: boolean }) {
  const { images, channels, outputs, rows, columns } = test;
  return {
    x: [images, rows.size, columns.size, channels],
    filter: [rows.taps, columns.taps, channels, outputs],
    dy: [images, rows.output, columns.output, depthwise ? channels * outputs : outputs],
  } as Record<'x' | 'filter' | 'dy', [number, number, number, number]>;
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

/** Visits each (output pixel, tap) that meets the image: indices of pixels, not of values. */
export function eachMeeting(
  { images, rows, columns }: WindowCase,
  visit: (meeting: { input: number; output: number; tap: number }) => void,
): void {
  const meetings = (axis: Axis) =>
    Array.from({ length: axis.output * axis.taps }, (_, at) => {
      const output = Math.floor(at / axis.taps);
      const tap = at % axis.taps;
      return { output, tap, input: output * axis.stride + tap * axis.dilation - axis.before };
    }).filter(({ input }) => input >= 0 && input < axis.size);
  const onColumns = meetings(columns);
  for (let image = 0; image < images; image += 1) {
    for (const row of meetings(rows)) {
      for (const column of onColumns) {
        visit({
          input: (image * rows.size + row.input) * columns.size + column.input,
          output: (image * rows.output + row.output) * columns.output + column.output,
          tap: row.tap * columns.taps + column.tap,
        });
      }
    }
  }
}

/**
 * A convolution is the trilinear form L(x, w, dy) = Σ x[i]·w[j]·dy[k] over the index triples visited here;
 * its value and all its gradients follow from them.
 */
function eachProduct(
  test: WindowCase,
  { depthwise }: { depthwise: boolean },
  visit: (x: number, w: number, dy: number) => void,
): void {
  const { channels, outputs } = test;
  const width = depthwise ? channels * outputs : outputs;
  eachMeeting(test, ({ input, output, tap }) => {
    for (let channel = 0; channel < channels; channel += 1) {
      for (let at = 0; at < outputs; at += 1) {
        const product = depthwise ? channel * outputs + at : at;
        visit(
          input * channels + channel,
          (tap * channels + channel) * outputs + at,
          output * width + product,
        );
      }
    }
  });
}

interface Values {
  readonly x: ArrayLike<number>;
  readonly filter: ArrayLike<number>;
  readonly dy: ArrayLike<number>;
}

/** dL/dx and dL/dw in float64. */
export function gradients(test: WindowCase, kind: { depthwise: boolean }, { x, filter, dy }: Values) {
  const byInput = new Float64Array(x.length);
  const byFilter = new Float64Array(filter.length);
  eachProduct(test, kind, (i, j, k) => {
    byInput[i]! += filter[j]! * dy[k]!;
    byFilter[j]! += x[i]! * dy[k]!;
  });
  return { byInput, byFilter };
}

/** dL/d(dy) in float64, which is the convolution. */
export function outputsOf(test: WindowCase, kind: { depthwise: boolean }, { x, filter, dy }: Values) {
  const outputs = new Float64Array(dy.length);
  eachProduct(test, kind, (i, j, k) => {
    outputs[k]! += x[i]! * filter[j]!;
  });
  return outputs;
}

/** L in float64. */
export function form(test: WindowCase, kind: { depthwise: boolean }, { x, filter, dy }: Values): number {
  let sum = 0;
  eachProduct(test, kind, (i, j, k) => {
    sum += x[i]! * filter[j]! * dy[k]!;
  });
  return sum;
}

/** (f(values + h·e) − f(values − h·e)) / 2h at some coordinates e. */
export function centralDifferences(
  values: ArrayLike<number>,
  f: (values: Float64Array) => number,
  { at, step }: { at: readonly number[]; step: number },
): number[] {
  return at.map((index) => {
    const moved = (by: number) => {
      const copy = Float64Array.from(values);
      copy[index]! += by;
      return f(copy);
    };
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

/** Up to `count` indices spread over an array. */
export function spread(length: number, count: number): number[] {
  return Array.from({ length: Math.min(length, count) }, (_, index) =>
    Math.floor((index * length) / Math.min(length, count)),
  );
}
