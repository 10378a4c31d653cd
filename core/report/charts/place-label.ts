import { textWidth } from '../text/text-fit.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedLabel extends Point {
  readonly anchor: 'start' | 'end';
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Surroundings {
  readonly fontSize: number;
  /** Marks that the label should not cover. */
  readonly marks: readonly Point[];
  /** The label should stay inside. */
  readonly plot: Box;
}

const MARK_RADIUS = 7;

/** Where to write a label beside its mark: the first of six places that covers the fewest marks and stays inside. */
export function placeLabel(text: string, at: Point, around: Surroundings): PlacedLabel {
  const ranked = places(at).map((place) => ({
    place,
    cost: costOf(boxOf(text, place, around.fontSize), around),
  }));
  return ranked.reduce((best, next) => (next.cost < best.cost ? next : best)).place;
}

function places({ x, y }: Point): readonly PlacedLabel[] {
  const rows = [-13, 21, 4];
  return rows.flatMap((dy): PlacedLabel[] => {
    const dx = dy === 4 ? 15 : 8;
    return [
      { x: x + dx, y: y + dy, anchor: 'start' },
      { x: x - dx, y: y + dy, anchor: 'end' },
    ];
  });
}

function boxOf(text: string, { x, y, anchor }: PlacedLabel, fontSize: number): Box {
  const width = textWidth(text) * fontSize;
  const left = anchor === 'start' ? x : x - width;
  return { left, right: left + width, top: y - fontSize, bottom: y + 3 };
}

function costOf(box: Box, { marks, plot }: Surroundings): number {
  const isOutside =
    box.left < plot.left || box.right > plot.right || box.top < plot.top || box.bottom > plot.bottom;
  const covered = marks.filter(
    ({ x, y }) =>
      x > box.left - MARK_RADIUS &&
      x < box.right + MARK_RADIUS &&
      y > box.top - MARK_RADIUS &&
      y < box.bottom + MARK_RADIUS,
  );
  return covered.length + (isOutside ? 1000 : 0);
}
