import { addChunk, startAccumulator } from '../../core/fairness/accumulator.ts';
import { audit, finishAudit, finishClasses } from '../../core/fairness/audit.ts';
import type { AuditReport } from '../../core/fairness/types.ts';

/** Numbers in [0, 1) that repeat (Park and Miller's generator). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const SEXES = ['female', 'male'];
const TONES = ['I–II', 'III–IV', 'V–VI'];

/** Rows whose scores rank women and dark skin less well, with a cell that few rows fall into. */
function madeRows(size: number) {
  const random = sequence(20251129);
  const noise = () => (0.7 * (random() + random() + random())) / 3;
  const drawn = (shares: readonly number[]) => {
    const at = random();
    return shares.filter((share) => at >= share).length;
  };
  const rows = Array.from({ length: size }, () => {
    const [sex, tone, label] = [drawn([0.45]), drawn([0.62, 0.96]), drawn([0.7])];
    const score = noise() + label * (0.24 + 0.06 * sex - 0.08 * tone);
    return { sex, tone, label, score: Math.min(0.999, Math.max(0.001, score)) };
  });
  return {
    labels: Int32Array.from(rows, ({ label }) => label),
    sexes: Int32Array.from(rows, ({ sex }) => sex),
    tones: Int32Array.from(rows, ({ tone }) => tone),
    scores: Float64Array.from(rows, ({ score }) => score),
  };
}

/** An audit by the real code: scores, intervals, tests, two features and their intersection. */
export function measuredAudit(): AuditReport {
  const { labels, sexes, tones, scores } = madeRows(900);
  const accumulator = startAccumulator({
    threshold: 0.5,
    features: [[0], [1], [0, 1]],
    exactRows: Number.POSITIVE_INFINITY,
  });
  const nothing = { predictions: null, weights: null, subjects: null, strata: null };
  addChunk(accumulator, { labels, groups: [sexes, tones], scores, ...nothing });
  const report = finishAudit(
    accumulator,
    {
      attributes: [
        { name: 'sex', groupNames: SEXES },
        { name: 'skin tone', groupNames: TONES },
      ],
    },
    { replicates: 200, seed: 7 },
  );
  return {
    ...report,
    input: {
      rows: 912,
      audited: 900,
      missing: [{ sensitiveFeature: 'skin tone', rows: 3 }],
      bins: [{ sensitiveFeature: 'skin tone', rule: 'edges', edges: [2, 4], isExact: true }],
      join: { id: 'patient', matched: 897, unmatched: 3, duplicate: 2, conflicting: 1, unused: 14 },
    },
  };
}

/** An audit of three classes, each against the rest. */
export function classesAudit(): AuditReport {
  const { sexes, tones, scores } = madeRows(300);
  const vocabularies = { attributes: [{ name: 'sex', groupNames: SEXES }] };
  const accumulators = TONES.map((_, tone) => {
    const accumulator = startAccumulator({ threshold: 0.5, features: [[0]] });
    const labels = tones.map((each) => (each === tone ? 1 : 0));
    addChunk(accumulator, {
      labels,
      groups: [sexes],
      scores,
      predictions: null,
      weights: null,
      subjects: null,
      strata: null,
    });
    return accumulator;
  });
  return finishClasses(accumulators, { labels: TONES, vocabularies }, { replicates: 20 });
}

/** An audit of predictions without scores. */
export function decidedAudit(): AuditReport {
  const { labels, sexes, scores } = madeRows(300);
  const predictions = Int32Array.from(scores, (score) => (score >= 0.5 ? 1 : 0));
  const sensitiveFeatures = [{ name: 'sex', groupNames: SEXES, groups: sexes }];
  return audit({ labels, sensitiveFeatures, decisions: { predictions }, replicates: 50 });
}
