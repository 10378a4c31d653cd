import type { core, ZodType } from 'zod';
import { InvalidInputError } from '../errors.ts';
import { plural, quote } from './cells.ts';

/** Problems that one message lists; `details.issues` has them all. */
const MAX_LISTED = 5;
/** Longest text that counts as a misspelt choice and is repeated in the message. */
const MAX_CHOICE = 40;

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
};

type Path = readonly PropertyKey[];

/**
 * Typed value, or an error in sentences.
 *
 * @param where  what the value is, to begin the message with: a file, an option
 * @throws InvalidInputError naming each field, what it must be and what came (`details.issues`)
 */
export function parseWith<T>(schema: ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => sentence(issue, value));
  const left = issues.length - MAX_LISTED;
  const listed = issues.slice(0, MAX_LISTED).join('; ');
  throw new InvalidInputError(`${where}: ${listed}${left > 0 ? `; and ${left} more` : ''}`, {
    where,
    issues,
  });
}

/** What a configuration value is, in words. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') {
    return value.trim() === '' ? 'empty text' : `text of ${plural(value.length, 'character')}`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}

function sentence(issue: core.$ZodIssue, root: unknown, parent: Path = []): string {
  const path = [...parent, ...issue.path];
  const rule = ruleOf(issue);
  if (rule !== null) return must(nameOf(path), rule, valueAt(root, path));
  if (issue.code === 'unrecognized_keys') {
    return `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${keyNames(path, issue.keys)}`;
  }
  if (issue.code === 'invalid_union') return unionSentence(issue, root, path);
  return `${nameOf(path)} ${issue.message}`;
}

/** What the value must do, for the issues that are about the value as a whole. */
function ruleOf(issue: core.$ZodIssue): string | null {
  if (issue.code === 'invalid_type') return `be ${EXPECTED[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') return `be ${choices(issue.values)}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') return limit(issue);
  const isUnknownKind = issue.code === 'invalid_union' && 'options' in issue && issue.options !== undefined;
  return isUnknownKind ? `be ${choices(issue.options)}` : null;
}

function must(name: string, rule: string, value: unknown): string {
  if (value === undefined) return `${name} is missing, it must ${rule}`;
  // A short text where choices are listed is a misspelling, which the reader wants to see.
  const isMisspelt =
    typeof value === 'string' && value !== '' && value.length <= MAX_CHOICE && rule.includes('"');
  return `${name} must ${rule}, received ${isMisspelt ? quote(value) : describeValue(value)}`;
}

/** The branch that got furthest into the value says best what is wrong; when none got in, all are named. */
function unionSentence(issue: core.$ZodIssueInvalidUnion, root: unknown, path: Path): string {
  const branches = issue.errors.flatMap((errors) => errors.slice(0, 1));
  const rules = branches.flatMap((branch) => (branch.path.length === 0 ? [ruleOf(branch)] : []));
  if (rules.length === branches.length && !rules.includes(null)) {
    return must(nameOf(path), rules.join(' or '), valueAt(root, path));
  }
  const deepest = branches.reduce((depth, branch) => Math.max(depth, branch.path.length), 0);
  return sentence(branches.find((branch) => branch.path.length === deepest)!, root, path);
}

function nameOf(path: Path): string {
  return path.length === 0 ? 'the content' : quote(spellPath(path));
}

function limit(issue: core.$ZodIssueTooSmall | core.$ZodIssueTooBig): string {
  const isMinimum = issue.code === 'too_small';
  const bound = Number(isMinimum ? issue.minimum : issue.maximum);
  const words = isMinimum ? 'at least' : 'at most';
  if (issue.origin === 'string') return `have ${words} ${plural(bound, 'character')}`;
  if (issue.origin === 'array') return `have ${words} ${bound} ${bound === 1 ? 'entry' : 'entries'}`;
  if (issue.inclusive === false) return `be ${isMinimum ? 'above' : 'below'} ${bound}`;
  return `be ${words} ${bound}`;
}

function choices(values: readonly unknown[]): string {
  const names = values.map((value) => (typeof value === 'string' ? quote(value) : String(value)));
  return names.length === 1 ? names[0]! : `one of ${names.join(', ')}`;
}

function keyNames(path: Path, keys: readonly string[]): string {
  return keys.map((key) => quote(spellPath([...path, key]))).join(', ');
}

function spellPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    return typeof value === 'object' && value !== null
      ? (value as Record<PropertyKey, unknown>)[part]
      : undefined;
  }, root);
}
