import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inputPhases, outputsOnInput, type WindowAxis } from '../../../worker/kernels/window-axis.ts';

const axes: fc.Arbitrary<WindowAxis> = fc
  .record({
    inputSize: fc.integer({ min: 1, max: 12 }),
    outputSize: fc.integer({ min: 1, max: 12 }),
    taps: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    padBefore: fc.nat(6),
  })
  .map((axis) => (axis.stride > 1 ? { ...axis, dilation: 1 } : axis));

const range = (size: number) => Array.from({ length: size }, (_, index) => index);

/** [tap, output] pairs that meet an input, by the definition of the axis. */
function meetings({ outputSize, taps, stride, dilation, padBefore }: WindowAxis, input: number): string[] {
  const pairs = range(taps).flatMap((tap) => range(outputSize).map((output) => ({ tap, output })));
  return pairs
    .filter(({ tap, output }) => output * stride + tap * dilation - padBefore === input)
    .map(({ tap, output }) => `${tap}:${output}`)
    .sort();
}

describe('one axis of a window', () => {
  test('finds the outputs whose position is on the input', () => {
    fc.assert(
      fc.property(axes, fc.integer({ min: -8, max: 14 }), (axis, offset) => {
        const { start, end } = outputsOnInput(axis, offset);
        const isOnInput = (output: number) => {
          const input = output * axis.stride + offset;
          return input >= 0 && input < axis.inputSize;
        };
        const found = range(axis.outputSize).filter((output) => output >= start && output < end);
        expect(found).toEqual(range(axis.outputSize).filter(isOnInput));
      }),
      { seed: 15 },
    );
  });

  test('reaches every input that meets an output in one phase, by the taps and outputs it meets', () => {
    fc.assert(
      fc.property(axes, (axis) => {
        const reached = new Map<number, string[]>();
        for (const phase of inputPhases(axis)) {
          for (const place of range(phase.count)) {
            const input = phase.firstInput + place * axis.stride;
            expect(reached.has(input)).toBe(false);
            const pairs = range(phase.taps).map((reversed) => {
              const tap = phase.remainder + (phase.taps - 1 - reversed) * axis.stride;
              const output = phase.dy.start + place + reversed * axis.dilation - phase.padBefore;
              return { tap, output };
            });
            const used = pairs.filter(({ output }) => output >= phase.dy.start && output < phase.dy.end);
            reached.set(input, used.map(({ tap, output }) => `${tap}:${output}`).sort());
          }
        }
        for (const input of range(axis.inputSize))
          expect(reached.get(input) ?? []).toEqual(meetings(axis, input));
      }),
      { seed: 17, numRuns: 300 },
    );
  });

  test('gives each phase the zeros that a convolution needs to return its count', () => {
    fc.assert(
      fc.property(axes, (axis) => {
        for (const { count, taps, dy, padBefore, padAfter } of inputPhases(axis)) {
          expect(padBefore + (dy.end - dy.start) + padAfter - (taps - 1) * axis.dilation).toBe(count);
        }
      }),
      { seed: 18, numRuns: 300 },
    );
  });

  test('leaves out a phase whose inputs lie where no output reaches', () => {
    const axis = { inputSize: 2, outputSize: 1, taps: 3, stride: 3, dilation: 1, padBefore: 2 };
    expect(meetings(axis, 1)).toEqual([]);
    expect(inputPhases(axis).map(({ firstInput }) => firstInput)).toEqual([0]);
  });

  test('refuses a stride together with a dilation', () => {
    const axis = { inputSize: 8, outputSize: 2, taps: 2, stride: 2, dilation: 2, padBefore: 0 };
    expect(() => inputPhases(axis)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }));
  });
});
