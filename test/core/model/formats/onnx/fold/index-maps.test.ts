import { describe, expect, test } from 'vitest';
import {
  broadcast,
  eachPlace,
  permuted,
  picked,
} from '../../../../../../core/model/formats/onnx/fold/index-maps.ts';
import { makeConstant } from '../../../../../../core/model/formats/onnx/values.ts';

/** [[0, 1, 2], [3, 4, 5]] */
const TABLE = makeConstant('int', [2, 3], Float64Array.from([0, 1, 2, 3, 4, 5]));
const entries = ({ shape, entries }: typeof TABLE) => [shape, Array.from(entries)];

describe('index maps', () => {
  test('go through a shape row by row', () => {
    const places: string[] = [];
    eachPlace([2, 2], (place, index) => places.push(`${index}: ${place}`));
    expect(places).toEqual(['0: 0,0', '1: 0,1', '2: 1,0', '3: 1,1']);
    eachPlace([2, 0], () => places.push('none'));
    expect(places.length).toBe(4);
  });

  test('pick entries', () => {
    expect(entries(picked(TABLE, [2], ([at]) => [at!, 2]))).toEqual([[2], [2, 5]]);
  });

  test('put axes in another order', () => {
    expect(entries(permuted(TABLE, [1, 0]))).toEqual([
      [3, 2],
      [0, 3, 1, 4, 2, 5],
    ]);
  });

  test('repeat axes of extent 1', () => {
    const column = makeConstant('int', [2, 1], Float64Array.from([7, 8]));
    expect(entries(broadcast(column, [2, 2, 2]))).toEqual([
      [2, 2, 2],
      [7, 7, 8, 8, 7, 7, 8, 8],
    ]);
  });
});
