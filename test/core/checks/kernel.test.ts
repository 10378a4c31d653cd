import { describe, expect, test } from 'vitest';
import { gaussianKernel, meanKernel, medianBandwidth, squaredDistance } from '../../../core/checks/kernel.ts';

test('squaredDistance is that of two rows', () => {
  const points = { values: [0, 0, 3, 4, 1, 1], width: 2 };
  expect(squaredDistance({ points, row: 0 }, { points, row: 1 })).toBe(3 ** 2 + 4 ** 2);
  expect(squaredDistance({ points, row: 2 }, { points, row: 1 })).toBe(2 ** 2 + 3 ** 2);
});

describe('medianBandwidth', () => {
  test('is the median of distances', () => {
    expect(medianBandwidth([9, 1, 25])).toBe(3);
    expect(medianBandwidth([9, 1, 25, 4])).toBe((2 + 3) / 2);
  });

  test('is the mean where most points are the same, and 0 where all are', () => {
    expect(medianBandwidth([0, 0, 0, 16])).toBe(1);
    expect(medianBandwidth([0, 0])).toBe(0);
    expect(medianBandwidth([])).toBe(0);
  });
});

test('gaussianKernel is 1 at no distance and e^−½ at one bandwidth', () => {
  const kernel = gaussianKernel(3);
  expect([kernel(0), kernel(9)]).toEqual([1, Math.exp(-1 / 2)]);
  expect(gaussianKernel(0)(0)).toBe(1);
});

test('meanKernel is over the rows asked for', () => {
  const points = { values: [0, 1, 2, 9], width: 1 };
  const kernel = (squared: number) => 10 - squared;
  expect(meanKernel({ points, row: 0 }, { points, rows: [1, 2] }, kernel)).toBe((10 - 1 + 10 - 4) / 2);
});
