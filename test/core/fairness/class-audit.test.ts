import { describe, expect, it } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import { auditClasses, highestClasses } from '../../../core/fairness/class-audit.ts';
import { withBackend } from '../../helpers/tensors.ts';

const CLASSES = ['nv', 'mel', 'bcc'];
const SIZE = 60;
const rows = Array.from({ length: SIZE }, (_, row) => row);
const labels = Int32Array.from(rows, (row) => row % 3);
const scores = rows.flatMap((row) => {
  const raw = CLASSES.map(
    (_, k) => (k === (row + (row % 7 === 0 ? 1 : 0)) % 3 ? 2 : 1) + ((row * (k + 3)) % 5) / 10,
  );
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
});
const sensitiveFeatures = [
  { name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.from(rows, (row) => (row >> 1) % 2) },
  { name: 'age', groupNames: ['old', 'young'], groups: Int32Array.from(rows, (row) => (row >> 2) % 2) },
];

describe('auditClasses', () => {
  withBackend('cpu');
  const report = auditClasses({
    labels,
    sensitiveFeatures,
    classNames: CLASSES,
    scores,
    intersections: 2,
    replicates: 0,
  });

  it('audits each class against the rest as an audit of two classes does', () => {
    for (const [place, each] of report.classes!.entries()) {
      const own = audit({
        labels: labels.map((label) => (label === place ? 1 : 0)),
        decisions: { predictions: Int32Array.from(highestClasses(scores, 3), (k) => (k === place ? 1 : 0)) },
        sensitiveFeatures,
        intersections: 2,
        replicates: 0,
      });
      expect(each.label).toBe(CLASSES[place]);
      expect(each.overall.counts).toEqual(own.overall.counts);
      expect(each.features.map(({ groups }) => groups.map(({ rates }) => rates))).toEqual(
        own.features.map(({ groups }) => groups.map(({ rates }) => rates)),
      );
    }
  });

  it('has the AUC of the class’s own score, and the means over classes', () => {
    const aucs = CLASSES.map((_, place) => {
      const own = rows.map((row) => ({ score: scores[row * 3 + place]!, label: labels[row] === place }));
      const [positives, negatives] = [own.filter(({ label }) => label), own.filter(({ label }) => !label)];
      const wins = positives.flatMap((a) =>
        negatives.map((b) => (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0)),
      );
      return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
    });
    report.classes!.forEach(({ overall }, place) => {
      expect(overall.auc.value).toBeCloseTo(aucs[place]!, 12);
    });
    expect(report.overall.auc.value).toBeCloseTo(aucs.reduce((sum, auc) => sum + auc, 0) / 3, 12);
  });

  it('has the intersections', () => {
    expect(report.features.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual([
      'sex',
      'age',
      'sex × age',
    ]);
  });
});

describe('highestClasses', () => {
  it('is the place of the highest score, the first of equal ones', () => {
    expect(Array.from(highestClasses([0.2, 0.5, 0.3, 0.4, 0.2, 0.4], 3))).toEqual([1, 0]);
  });
});
