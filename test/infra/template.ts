export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Resource {
  readonly Type: string;
  readonly Properties: { readonly [key: string]: Json };
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Conditions: { readonly [name: string]: Json };
}

/** A value below others; undefined where the way ends. Through `Fn::If` it goes to what holds if the condition does. */
export function at(value: Json | undefined, ...way: readonly (string | number)[]): Json | undefined {
  let current = value;
  for (const step of way) {
    current = ifTrue(current);
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<string | number, Json>)[step];
  }
  return ifTrue(current);
}

function ifTrue(value: Json | undefined): Json | undefined {
  if (typeof value !== 'object' || value === null || !('Fn::If' in value)) return value;
  return (value['Fn::If'] as readonly Json[])[1];
}

export function listAt(value: Json | undefined, ...way: readonly (string | number)[]): readonly Json[] {
  const found = at(value, ...way);
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found as Json];
}

/** Resources of one type by logical id. */
export function ofType(template: Template, type: string): [id: string, resource: Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** A value with references as people write them: `{DataBucket.Arn}/uploads/*`. */
export function render(value: Json | undefined): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if ('Ref' in value) return `{${value.Ref}}`;
  if ('Fn::GetAtt' in value) return `{${(value['Fn::GetAtt'] as string[]).join('.')}}`;
  if ('Fn::Sub' in value) return String(value['Fn::Sub']).replaceAll('${', '{');
  if ('Fn::Join' in value) {
    const [separator, parts] = value['Fn::Join'] as [string, Json[]];
    return parts.map(render).join(separator);
  }
  return JSON.stringify(value);
}

export interface Statement {
  /** Logical id of what the policy belongs to. */
  readonly owner: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition: Json | undefined;
  readonly principal: Json | undefined;
}

function statementsIn(owner: string, document: Json | undefined): Statement[] {
  return listAt(document, 'Statement').map((statement) => ({
    owner,
    effect: String(at(statement, 'Effect')),
    actions: listAt(statement, 'Action').map(String),
    resources: listAt(statement, 'Resource').map(render),
    condition: at(statement, 'Condition'),
    principal: at(statement, 'Principal'),
  }));
}

/** Statements that say what a role may do. */
export function roleStatements(template: Template): Statement[] {
  return [
    ...ofType(template, 'AWS::IAM::Role').flatMap(([id, { Properties }]) =>
      listAt(Properties, 'Policies').flatMap((policy) => statementsIn(id, at(policy, 'PolicyDocument'))),
    ),
    ...ofType(template, 'AWS::IAM::RolePolicy').flatMap(([, { Properties }]) =>
      statementsIn(String(at(Properties, 'RoleName', 'Ref')), at(Properties, 'PolicyDocument')),
    ),
  ];
}

/** Statements of policies that hang on a resource: buckets, keys, queues, topics, endpoints. */
export function resourceStatements(template: Template): Statement[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => !Type.startsWith('AWS::IAM::'))
    .flatMap(([id, { Properties }]) =>
      ['PolicyDocument', 'KeyPolicy'].flatMap((name) => statementsIn(id, at(Properties, name))),
    );
}
