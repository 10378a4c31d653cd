import { type Kernel, meanKernel, type Points, type Rows, squaredDistance } from './kernel.ts';

/** Samples in cells (group × label); of no cell are those with -1. */
export interface CellPoints {
  readonly points: Points;
  /** [N] */
  readonly cells: ArrayLike<number>;
}

export interface HerdPool extends CellPoints {
  /** [N] samples of one subject are chosen together or not at all; absent where each is its own. */
  readonly subjects?: readonly string[] | undefined;
}

interface HerdRequest extends HerdPool {
  /** Rows to choose of each cell. */
  readonly perCell: number;
  /** What the choice of each cell should be like. */
  readonly references: readonly Rows[];
}

/** Rows of each subject, without those of subjects that have a row in no cell. */
export function wholeSubjects({ cells, subjects }: Pick<HerdPool, 'cells' | 'subjects'>): number[][] {
  const rows = new Map<string | number, number[]>();
  for (let row = 0; row < cells.length; row += 1) {
    const subject = subjects?.[row] ?? row;
    const own = rows.get(subject);
    if (own === undefined) rows.set(subject, [row]);
    else own.push(row);
  }
  return [...rows.values()].filter((own) => own.every((row) => cells[row]! >= 0));
}

/** What of a subject lies in one cell. */
interface Part {
  readonly cell: number;
  readonly rows: readonly number[];
  /** Sum of kernels over all pairs of its rows. */
  readonly within: number;
}

interface Subject {
  readonly size: number;
  /** Rows by cell. */
  readonly counts: Int32Array;
  readonly parts: readonly Part[];
}

/** Subjects that are given back at once where exchanging one does not fill the cells, and how often that is tried. */
const LARGEST_SHAKE = 5;
const MOST_SHAKES = 500;

/** A replacement must lower MMD² by more than rounding. */
const SMALLEST_GAIN = 1e-12;

/**
 * Subjects of a pool, some of them chosen, with what kernel herding needs to know of each row: how much the reference of
 * its cell attracts it, and how crowded with chosen rows its place is.
 */
export class Herd {
  readonly #pool: HerdPool;
  readonly #kernel: Kernel;
  readonly #left: Set<Subject>;
  readonly #chosen = new Set<Subject>();
  /** Rows that each cell lacks. */
  readonly #lacks: Int32Array;
  readonly #perCell: number;
  readonly #byCell: readonly Part[][];
  /** [N] mean kernel with the reference of the row's cell */
  readonly #attraction: Float64Array;
  /** [N] sum of kernels with the chosen rows of the row's cell */
  readonly #crowding: Float64Array;

  constructor({ perCell, references, ...pool }: HerdRequest, kernel: Kernel) {
    const cellCount = references.length;
    this.#pool = pool;
    this.#kernel = kernel;
    this.#perCell = perCell;
    this.#lacks = new Int32Array(cellCount).fill(perCell);
    const subjects = wholeSubjects(pool).flatMap((rows) => this.#subject(rows, cellCount));
    this.#left = new Set(subjects);
    const parts = subjects.flatMap((subject) => subject.parts);
    this.#byCell = Array.from({ length: cellCount }, (_, cell) => parts.filter((part) => part.cell === cell));
    this.#attraction = new Float64Array(pool.cells.length);
    this.#crowding = new Float64Array(pool.cells.length);
    for (const { rows, cell } of parts) {
      for (const row of rows) {
        this.#attraction[row] = meanKernel({ points: pool.points, row }, references[cell]!, kernel);
      }
    }
  }

  /** None where a cell has no room for all of its rows. */
  #subject(rows: readonly number[], cellCount: number): Subject[] {
    const counts = new Int32Array(cellCount);
    for (const row of rows) counts[this.#pool.cells[row]!]! += 1;
    if (!fits({ counts }, this.#lacks)) return [];
    const parts = Array.from(counts.keys())
      .filter((cell) => counts[cell]! > 0)
      .map((cell) => {
        const own = rows.filter((row) => this.#pool.cells[row] === cell);
        return { cell, rows: own, within: this.#between(own, own) };
      });
    return [{ size: rows.length, counts, parts }];
  }

  /** Sum of kernels over all pairs of two sets of rows. */
  #between(one: readonly number[], other: readonly number[]): number {
    const { points } = this.#pool;
    return one.reduce(
      (sum, row) => sum + other.length * meanKernel({ points, row }, { points, rows: other }, this.#kernel),
      0,
    );
  }

  get size(): number {
    return this.#lacks.reduce((sum, lack) => sum + this.#perCell - lack, 0);
  }

  /** Chosen subjects, as they are now. */
  subjects(): readonly Subject[] {
    return [...this.#chosen];
  }

  rows(): number[] {
    return this.subjects()
      .flatMap(({ parts }) => parts.flatMap(({ rows }) => rows))
      .sort((a, b) => a - b);
  }

  /** Of each subject that may be chosen, its rows in a cell. */
  candidatesOf(cell: number): readonly Part[] {
    return this.#byCell[cell]!;
  }

  /** Takes the best subject for the cell that lacks most; false when none fits any cell. */
  takeNext(): boolean {
    const cells = Array.from(this.#lacks.keys())
      .filter((cell) => this.#lacks[cell]! > 0)
      .sort((a, b) => this.#lacks[b]! - this.#lacks[a]! || a - b);
    for (const cell of cells) {
      const best = this.#best((subject) => subject.counts[cell]! > 0 && fits(subject, this.#lacks));
      if (best === null) continue;
      this.#take(best);
      return true;
    }
    return false;
  }

  /** Exchanges subjects until no cell lacks a row; false when that does not succeed. */
  fill(): boolean {
    let shakes = 0;
    while (this.#lacks.some((lack) => lack > 0)) {
      if (this.#exchange()) continue;
      if (shakes === MOST_SHAKES) return false;
      shakes += 1;
      this.#shake(1 + (shakes % LARGEST_SHAKE));
    }
    return true;
  }

  /** Gives the subjects back that were chosen first, and takes others in their place if there are any. */
  #shake(count: number): void {
    const given = this.subjects().slice(0, count);
    for (const subject of given) this.#give(subject);
    for (const subject of given) this.#left.delete(subject);
    while (this.takeNext());
    for (const subject of given) this.#left.add(subject);
    while (this.takeNext());
  }

  /** Gives one chosen subject back for one that leaves fewer rows lacking. */
  #exchange(): boolean {
    for (const given of this.#chosen) {
      const room = this.#lacks.map((lack, cell) => lack + given.counts[cell]!);
      const best = this.#best((subject) => subject.size > given.size && fits(subject, room));
      if (best === null) continue;
      this.#give(given);
      this.#take(best);
      while (this.takeNext());
      return true;
    }
    return false;
  }

  /** Gives a chosen subject for the one with as many rows of each cell that lowers MMD² most; false when none does. */
  replace(given: Subject): boolean {
    let best = { subject: given, change: -SMALLEST_GAIN };
    const rest = this.#change(given.parts, -1);
    for (const subject of this.#left) {
      if (subject.counts.some((count, cell) => count !== given.counts[cell])) continue;
      const most = rest + this.#change(subject.parts, 1);
      if (most - this.#shared(subject, given, () => null) >= best.change) continue;
      const change = most - this.#shared(subject, given, (one, other) => this.#between(one, other));
      if (change < best.change) best = { subject, change };
    }
    if (best.subject === given) return false;
    this.#give(given);
    this.#take(best.subject);
    return true;
  }

  /** What MMD² changes by, summed over cells of n rows, where parts come (1) or go (−1) and all else stays. */
  #change(parts: readonly Part[], sign: 1 | -1): number {
    const n = this.#perCell;
    return parts.reduce((sum, { rows, within }) => {
      const crowding = rows.reduce((total, row) => total + this.#crowding[row]!, 0);
      const attraction = rows.reduce((total, row) => total + this.#attraction[row]!, 0);
      return sum + (2 * sign * crowding + within) / n ** 2 - (2 * sign * attraction) / n;
    }, 0);
  }

  /**
   * What a subject that comes is crowded by one that goes.
   *
   * @param between  sum of kernels; null for the most that it can be
   */
  #shared(
    coming: Subject,
    going: Subject,
    between: (one: readonly number[], other: readonly number[]) => number | null,
  ): number {
    return coming.parts.reduce((sum, { rows }, place) => {
      const others = going.parts[place]!.rows; // of the same cell, since both have the same
      const crowding = rows.reduce((total, row) => total + this.#crowding[row]!, 0);
      return sum + (2 * (between(rows, others) ?? Math.min(crowding, rows.length ** 2))) / this.#perCell ** 2;
    }, 0);
  }

  #best(isEligible: (subject: Subject) => boolean): Subject | null {
    let best: { readonly subject: Subject; readonly score: number } | null = null;
    for (const subject of this.#left) {
      if (!isEligible(subject)) continue;
      const score = this.#score(subject);
      if (best === null || score > best.score) best = { subject, score };
    }
    return best?.subject ?? null;
  }

  #score({ parts, size }: Subject): number {
    const sum = parts.reduce((total, { cell, rows, within }) => {
      const chosen = this.#perCell - this.#lacks[cell]!;
      const attraction = rows.reduce((own, row) => own + this.#attraction[row]!, 0);
      const ofItself = (within - rows.length) / 2; // by pairs of different rows, whose kernel with themselves is 1
      const crowding = rows.reduce((own, row) => own + this.#crowding[row]!, ofItself);
      return total + attraction - crowding / (chosen + rows.length);
    }, 0);
    return sum / size;
  }

  #take(subject: Subject): void {
    this.#left.delete(subject);
    this.#chosen.add(subject);
    this.#move(subject, 1);
  }

  #give(subject: Subject): void {
    this.#chosen.delete(subject);
    this.#left.add(subject);
    this.#move(subject, -1);
  }

  #move({ parts }: Subject, sign: 1 | -1): void {
    const { points } = this.#pool;
    for (const { cell, rows } of parts) {
      this.#lacks[cell]! -= sign * rows.length;
      for (const other of this.#byCell[cell]!.flatMap((part) => part.rows)) {
        for (const row of rows) {
          const squared = squaredDistance({ points, row }, { points, row: other });
          this.#crowding[other]! += sign * this.#kernel(squared);
        }
      }
    }
  }
}

const fits = ({ counts }: Pick<Subject, 'counts'>, room: Int32Array) =>
  counts.every((count, cell) => count <= room[cell]!);
