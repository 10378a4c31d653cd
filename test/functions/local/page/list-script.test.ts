import { describe, expect, it } from 'vitest';
import { LIST_SCRIPT } from '../../../../functions/local/page/list-script.ts';
import { makePageWorld } from './page-world.ts';

const call = makePageWorld(
  `const ask = async () => ({}); const loadInputs = ask; document.hidden = true;${LIST_SCRIPT}`,
);

describe('a job in the list', () => {
  it.each([
    ['audit', { table: 'scores.csv' }, 'Audit of scores.csv'],
    ['model-audit', { table: 'labels.csv', model: 'ward/model' }, 'Audit of model ward/model on labels.csv'],
    ['mitigation', { table: 'labels.csv', model: 'm' }, 'Mitigation of model m on labels.csv'],
    ['audit', {}, 'Audit of predictions'],
    ['mitigation', {}, 'Mitigation of a model'],
  ])('of kind %s is called by its inputs %j', (kind, inputs, title) => {
    expect(call(`TITLES[${JSON.stringify(kind)}](${JSON.stringify(inputs)})`)).toBe(title);
  });

  it('says what was asked for, and leaves out what was not', () => {
    const text = (settings: object) => call(`settingsText(${JSON.stringify(settings)})`);
    const columns = { label: 'y', sensitiveFeatures: ['sex', 'age'] };
    expect(text({ columns: { ...columns, score: 'p' }, threshold: 0.5 })).toBe(
      'label y · groups sex, age · score p',
    );
    expect(
      text({ columns, threshold: 0.4, preset: 'robust', seed: 0, metric: 'equalOpportunity', only: 'test' }),
    ).toBe(
      'label y · groups sex, age · threshold 0.4 · part test · preset robust · seed 0 · gap equalOpportunity',
    );
  });
});
