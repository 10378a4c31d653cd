import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { loadPreprocess, resolvePreprocess } from '../../core/data/preprocess.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { countWeights, headParameters } from '../../core/model/classifier.ts';
import { loadClassifier } from '../../core/model/load-classifier.ts';
import { startBackend } from '../backend.ts';
import type { Console } from './console.ts';
import type { ModelFlags } from './data-options.ts';
import { addBackendOption, addHeadOptions } from './data-options.ts';
import { textTable } from './tables.ts';

interface InspectFlags extends ModelFlags {
  readonly json?: boolean;
}

const EXAMPLES = `
Example:
  counterweight inspect model/
  counterweight inspect model.keras
  counterweight inspect model.onnx --positive-class 3

Exit codes: 0 done, 64 wrong input, 65 model unfit, 70 failed, 75 try again.`;

export function addInspectCommand(program: Command, console: Console): void {
  const command = program
    .command('inspect')
    .summary('show what a model file holds')
    .description(
      'Shows layers, weights, the head that would be refitted, and the preprocess file beside the model.',
    )
    .argument('<model>', 'model file (.onnx, .keras, .h5) or folder with a model.json (tfjs)');
  addBackendOption(addHeadOptions(command))
    .option('--json', 'print as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (location: string, flags: InspectFlags) => {
      await startBackend(flags.backend, { threads: flags.threads });
      const model = await loadClassifier(location, flags);
      try {
        const inspected = { ...describe(model), preprocess: await describePreprocess(location, model) };
        console.print(flags.json ? JSON.stringify(inspected, null, 2) : inspectText(inspected));
      } finally {
        model.dispose();
      }
    });
}

function describe(model: Classifier) {
  return {
    format: model.format,
    inputShape: model.inputShape,
    output: model.output,
    head: model.head.name,
    units: model.head.units,
    positiveClass: model.head.positiveClass,
    bodyWeights: countWeights(model.body),
    headWeights: countWeights(headParameters(model)),
    normalizationStatistics: countWeights(model.statistics),
    notes: model.notes,
    layers: model.layers,
  };
}

async function describePreprocess(location: string, model: Classifier) {
  const { besideModel } = await import('../load-data.ts'); // with all that reads data
  const file = besideModel(location);
  return file !== null && existsSync(file)
    ? resolvePreprocess(await loadPreprocess(file), model.inputShape)
    : null;
}

type Inspected = ReturnType<typeof describe> & {
  readonly preprocess: Awaited<ReturnType<typeof describePreprocess>>;
};

function unitsText({ units, positiveClass }: Pick<Inspected, 'units' | 'positiveClass'>): string {
  return positiveClass === null ? String(units) : `${units}, of which ${positiveClass} is the positive class`;
}

function inspectText({ layers, preprocess, notes, ...model }: Inspected): string {
  const rows = layers.map(({ name, kind, outputShape, parameters, part }) => [
    name,
    kind,
    `[${outputShape.map((extent) => extent ?? 'any').join(', ')}]`,
    String(parameters),
    part,
  ]);
  const facts = [
    ['format', model.format],
    ['input', `[${model.inputShape.join(', ')}]`],
    ['output', model.output],
    ['head', model.head],
    ['units', unitsText(model)],
    ['body weights', String(model.bodyWeights)],
    ['head weights', String(model.headWeights)],
    ['running statistics', String(model.normalizationStatistics)],
    [
      'preprocess',
      preprocess === null ? 'none beside the model; give --preprocess' : JSON.stringify(preprocess),
    ],
  ];
  const header = ['layer', 'kind', 'output', 'weights', 'part'];
  return [textTable(facts, 'left'), ...notes, textTable([header, ...rows], 'left')].join('\n\n');
}
