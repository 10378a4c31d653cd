import { describe, expect, it } from 'vitest';
import { setsTable } from '../../../worker/commands/set-tables.ts';
import { TWO_SETS_RUN } from '../../helpers/decision-samples.ts';

describe('setsTable', () => {
  it('has a line for each set and model, with what is not defined', () => {
    const lines = setsTable(TWO_SETS_RUN).split('\n');
    expect(lines).toHaveLength(1 + 2 + 1);
    expect(lines[1]).toMatch(/^test +before +877 +0\.6500 +0\.\d{4} +0\.2500 \(female\)$/);
    expect(lines[2]).toMatch(/^test +after +877 +0\.0850 .*0\.6750 \(female\)$/);
    expect(lines[3]).toMatch(/^clinic <b> +before +60 +n\/a +0\.7000 \(0\.6100 to 0\.7900\) +n\/a +a, b$/);
  });
});
