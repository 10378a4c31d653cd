import { describe, expect, it } from 'vitest';
import { placeLabel } from '../../../../core/report/charts/place-label.ts';

const plot = { left: 0, right: 300, top: 0, bottom: 200 };

describe('placeLabel', () => {
  it('stands above and to the right where nothing is in the way', () => {
    expect(placeLabel('chosen', { x: 100, y: 100 }, { fontSize: 11, marks: [], plot })).toEqual({
      x: 108,
      y: 100 - 13,
      anchor: 'start',
    });
  });

  it('turns to the left at the right edge', () => {
    const label = placeLabel('chosen', { x: 290, y: 100 }, { fontSize: 11, marks: [], plot });
    expect(label.anchor).toBe('end');
  });

  it('goes below at the upper edge', () => {
    expect(placeLabel('chosen', { x: 100, y: 5 }, { fontSize: 11, marks: [], plot }).y).toBe(5 + 21);
  });

  it('avoids other marks', () => {
    const marks = [
      { x: 125, y: 85 },
      { x: 75, y: 85 },
    ];
    expect(placeLabel('chosen', { x: 100, y: 100 }, { fontSize: 11, marks, plot }).y).toBe(100 + 21);
  });
});
