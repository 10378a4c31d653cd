import type { CandidateRecord, SelectFigures } from './run-record.ts';

type Judged = Pick<CandidateRecord, 'kind' | 'violations' | 'select'>;

/** Whether a candidate may be chosen at all: no violation, and a disparity below the original's. */
export function improves(
  { kind, violations, select }: Judged,
  original: Pick<SelectFigures, 'disparity'>,
): boolean {
  return (
    kind !== 'original' &&
    violations.length === 0 &&
    select.disparity !== null &&
    (original.disparity === null || select.disparity < original.disparity)
  );
}

/**
 * The candidates that could be chosen, now or when further ones come along: those that improve on the original and
 * that no other one beats in both disparity and AUC. Wherever a beaten one lies within one standard error of the
 * smallest disparity, so does the one that beats it, with the higher AUC.
 */
export function frontierOf<C extends Judged>(
  candidates: readonly C[],
  original: Pick<SelectFigures, 'disparity'>,
): C[] {
  const better = candidates.filter((candidate) => improves(candidate, original));
  const beats = (a: SelectFigures, b: SelectFigures) =>
    a.disparity! <= b.disparity! && a.auc! >= b.auc! && (a.disparity! < b.disparity! || a.auc! > b.auc!);
  return better.filter(({ select }) => !better.some((other) => beats(other.select, select)));
}
