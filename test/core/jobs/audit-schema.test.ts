import { describe, expect, it } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import { auditReportSchema } from '../../../core/jobs/audit-schema.ts';
import { useWasm } from './wasm.ts';

useWasm();

const sex = { name: 'sex', groupNames: ['f', 'm', 'x'], groups: Int32Array.of(0, 0, 1, 1, 2) };
const labels = Int32Array.of(1, 0, 1, 0, 1);

describe('auditReportSchema', () => {
  it.each([
    ['scores', { scores: Float64Array.of(0.9, 0.1, 0.4, 0.6, 0.7), threshold: 0.5 }],
    ['predictions', { predictions: Int32Array.of(1, 0, 0, 1, 1) }],
  ])('has the form of an audit of %s, gaps without support included', (_, decisions) => {
    const report = audit({ labels, sensitiveFeatures: [sex], decisions });
    const stored = JSON.parse(JSON.stringify(report));
    expect(stored.features[0].disparities.equalizedOddsDifference.value).toBeNull();
    expect(auditReportSchema.parse(stored)).toEqual(stored);
  });

  it('refuses a rate that is no share', () => {
    const report = JSON.parse(
      JSON.stringify(audit({ labels, sensitiveFeatures: [sex], decisions: { predictions: labels } })),
    );
    report.overall.rates.accuracy.value = 1.5;
    expect(auditReportSchema.safeParse(report).success).toBe(false);
  });
});
