import { type CellPoints, Herd, type HerdPool } from './herd.ts';
import {
  gaussianKernel,
  type Kernel,
  meanKernel,
  medianBandwidth,
  type Rows,
  squaredDistance,
} from './kernel.ts';

export interface SelectionRequest {
  readonly pool: HerdPool;
  /** What the choice should be like, cell by cell. */
  readonly reference: CellPoints;
  readonly cellCount: number;
  /** Samples to choose of each cell. */
  readonly perCell: number;
  /** Told how many samples are chosen, and waited for, before each next subject. */
  readonly onChosen?: ((samples: number) => Promise<void> | void) | undefined;
}

interface SelectedCell {
  /** Samples in the pool whose subjects may be chosen. */
  readonly pool: number;
  readonly chosen: number;
  /** Samples of the reference, of this cell; where it has none, all of the reference stand in. */
  readonly reference: number;
  /** √MMD² between chosen samples and reference. */
  readonly distance: number;
  /** √ of the mean MMD² of as many samples drawn at random. */
  readonly ofRandom: number;
}

export interface Selection {
  /** Chosen rows of the pool in ascending order. */
  readonly rows: readonly number[];
  readonly subjects: number;
  /** σ of the kernel. */
  readonly bandwidth: number;
  readonly cells: readonly SelectedCell[];
}

/** Samples by which a cell of the reference is known, and between which pairs are looked at; evenly spaced. */
const MOST_KNOWN = 1000;

/** Times that every chosen subject is compared with those that might replace it. */
const MOST_PASSES = 3;

/**
 * Chooses as many samples of every cell, subject by subject, so that within each cell the choice comes closest to the
 * reference: kernel herding (Chen, Welling and Smola, UAI 2010), which is the greedy minimum of the maximum mean
 * discrepancy by which prototypes are chosen (Kim, Khanna and Koyejo, NeurIPS 2016). Of cell c with t samples chosen,
 *
 *   next = argmax over x of  mean k(x, reference of c)  −  Σ k(x, chosen of c) / (t + 1)
 *
 * where k is Gaussian with the median heuristic. A subject of m samples counts by their mean, with t + m in place of
 * t + 1 and its pairs of different samples added to the sum. Cells take turns, the one that lacks most first. Where whole
 * subjects do not fill the cells, some are exchanged until they do. At the end each is replaced by the one with as many
 * samples of each cell that lowers MMD² most, if one does.
 *
 * @returns null when whole subjects cannot fill every cell exactly; no random number is drawn
 */
export async function selectBalanced(request: SelectionRequest): Promise<Selection | null> {
  const { pool, reference, cellCount, perCell } = request;
  const bandwidth = bandwidthOf(pool, reference);
  const kernel = gaussianKernel(bandwidth);
  const references = Array.from({ length: cellCount }, (_, cell) => ({
    points: reference.points,
    rows: standIns(reference, cell),
  }));
  const herd = new Herd({ ...pool, perCell, references }, kernel);
  while (herd.takeNext()) await request.onChosen?.(herd.size);
  if (!herd.fill()) return null;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) if (!(await refine(herd, request))) break;
  const rows = herd.rows();
  const chosen = Array.from({ length: cellCount }, (_, cell) =>
    rows.filter((row) => pool.cells[row] === cell),
  );
  return {
    rows,
    subjects: herd.subjects().length,
    bandwidth,
    cells: chosen.map((own, cell) => {
      const candidates = herd.candidatesOf(cell);
      return {
        pool: candidates.reduce((sum, { rows: some }) => sum + some.length, 0),
        chosen: own.length,
        reference: rowsOf(reference, cell).length,
        ...distancesOf({ pool, reference, chosen: own, candidates, cell, perCell }, kernel),
      };
    }),
  };
}

/** @returns whether a subject was replaced by a better one */
async function refine(herd: Herd, { onChosen }: SelectionRequest): Promise<boolean> {
  let isBetter = false;
  for (const subject of herd.subjects()) {
    isBetter = herd.replace(subject) || isBetter;
    await onChosen?.(herd.size);
  }
  return isBetter;
}

function rowsOf({ cells }: CellPoints, cell: number): number[] {
  return Array.from(cells, (_, row) => row).filter((row) => cells[row] === cell);
}

/** At most `most` of the rows, evenly spaced. */
function spaced(rows: readonly number[], most: number): readonly number[] {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, place) => rows[Math.floor((place * rows.length) / most)]!);
}

/** Those of the reference that stand for a cell. */
function standIns(reference: CellPoints, cell: number): readonly number[] {
  const own = rowsOf(reference, cell);
  const rows = own.length > 0 ? own : Array.from(reference.cells, (_, row) => row);
  return spaced(rows, MOST_KNOWN);
}

/** By pairs within an even mixture of pool and reference. */
function bandwidthOf(pool: CellPoints, reference: CellPoints): number {
  const places = [pool, reference].flatMap(({ points, cells }) =>
    spaced(
      Array.from(cells, (_, row) => row),
      MOST_KNOWN / 2,
    ).map((row) => ({ points, row })),
  );
  return medianBandwidth(
    places.flatMap((place, at) => places.slice(0, at).map((other) => squaredDistance(place, other))),
  );
}

interface Cell {
  readonly pool: CellPoints;
  readonly reference: CellPoints;
  readonly chosen: readonly number[];
  readonly candidates: ReturnType<Herd['candidatesOf']>;
  readonly cell: number;
  readonly perCell: number;
}

/**
 * MMD² is mean k(x, x′) + mean k(r, r′) − 2 mean k(x, r) over all pairs, also of one sample with itself. Of n samples
 * that are drawn at random, subject by subject, mean k(x, x′) is w/n + (1 − m/n) · (mean over pairs of samples of
 * different subjects), where a sample has on average m samples of its subject in the cell, itself with them, and w is
 * the sum of its kernels with them.
 */
function distancesOf({ pool, reference, chosen, candidates, cell, perCell }: Cell, kernel: Kernel) {
  const among = (one: Rows, other: Rows) =>
    one.rows.reduce((sum, row) => sum + meanKernel({ points: one.points, row }, other, kernel), 0) /
    one.rows.length;
  const [r, x, all] = [
    { points: reference.points, rows: standIns(reference, cell) },
    { points: pool.points, rows: chosen },
    {
      points: pool.points,
      rows: spaced(
        candidates.flatMap(({ rows }) => rows),
        MOST_KNOWN,
      ),
    },
  ];
  const ofReference = among(r, r);
  const ofChosen = among(x, x) - 2 * among(x, r);
  const { within, subjectSize } = ofSubjects(candidates);
  const subjectOf = new Map(candidates.flatMap(({ rows }, subject) => rows.map((row) => [row, subject])));
  const others = (row: number) => all.rows.filter((other) => subjectOf.get(other) !== subjectOf.get(row));
  const apart = all.rows.flatMap((row) => {
    const rows = others(row);
    return rows.length === 0 ? [] : [meanKernel({ points: pool.points, row }, { ...all, rows }, kernel)];
  });
  const between = apart.reduce((sum, value) => sum + value, 0) / Math.max(1, apart.length);
  const ofRandom = within / perCell + (1 - subjectSize / perCell) * between - 2 * among(all, r);
  return {
    distance: Math.sqrt(Math.max(0, ofChosen + ofReference)),
    ofRandom: Math.sqrt(Math.max(0, ofRandom + ofReference)),
  };
}

/** Of a sample: kernels with the samples of its subject, itself with them, and how many those are. */
function ofSubjects(candidates: Cell['candidates']): { within: number; subjectSize: number } {
  const size = candidates.reduce((sum, { rows }) => sum + rows.length, 0);
  const within = candidates.reduce((sum, part) => sum + part.within, 0);
  const squares = candidates.reduce((sum, { rows }) => sum + rows.length ** 2, 0);
  return { within: within / size, subjectSize: squares / size };
}
