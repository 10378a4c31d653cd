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

interface Subject {
  readonly rows: readonly number[];
  /** Rows by cell. */
  readonly counts: Int32Array;
}

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
  readonly #byCell: readonly number[][];
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
    const subjects = wholeSubjects(pool).map((rows) => {
      const counts = new Int32Array(cellCount);
      for (const row of rows) counts[pool.cells[row]!]! += 1;
      return { rows, counts };
    });
    this.#left = new Set(subjects);
    this.#byCell = Array.from({ length: cellCount }, (): number[] => []);
    for (const row of subjects.flatMap(({ rows }) => rows)) this.#byCell[pool.cells[row]!]!.push(row);
    this.#attraction = new Float64Array(pool.cells.length);
    this.#crowding = new Float64Array(pool.cells.length);
    this.#byCell.forEach((rows, cell) => {
      for (const row of rows) {
        this.#attraction[row] = meanKernel({ points: pool.points, row }, references[cell]!, kernel);
      }
    });
  }

  get size(): number {
    return this.#lacks.reduce((sum, lack) => sum + this.#perCell - lack, 0);
  }

  get subjects(): number {
    return this.#chosen.size;
  }

  rows(): number[] {
    return [...this.#chosen].flatMap(({ rows }) => rows).sort((a, b) => a - b);
  }

  /** Rows of a cell whose subjects may be chosen. */
  candidatesOf(cell: number): readonly number[] {
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
    while (this.#lacks.some((lack) => lack > 0)) if (!this.#exchange()) return false;
    return true;
  }

  /** Gives one chosen subject back for one that leaves fewer rows lacking. */
  #exchange(): boolean {
    for (const given of this.#chosen) {
      const room = this.#lacks.map((lack, cell) => lack + given.counts[cell]!);
      const best = this.#best((subject) => subject.rows.length > given.rows.length && fits(subject, room));
      if (best === null) continue;
      this.#give(given);
      this.#take(best);
      while (this.takeNext());
      return true;
    }
    return false;
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

  #score({ rows }: Subject): number {
    const sum = rows.reduce((total, row) => {
      const chosen = this.#perCell - this.#lacks[this.#pool.cells[row]!]!;
      return total + this.#attraction[row]! - this.#crowding[row]! / (chosen + 1);
    }, 0);
    return sum / rows.length;
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

  #move({ rows }: Subject, sign: 1 | -1): void {
    const { points, cells } = this.#pool;
    for (const row of rows) {
      const cell = cells[row]!;
      this.#lacks[cell]! -= sign;
      for (const other of this.#byCell[cell]!) {
        const squared = squaredDistance({ points, row }, { points, row: other });
        this.#crowding[other]! += sign * this.#kernel(squared);
      }
    }
  }
}

const fits = ({ counts }: Subject, room: Int32Array) => counts.every((count, cell) => count <= room[cell]!);
