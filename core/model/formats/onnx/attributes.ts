import { InvalidInputError } from '../../../errors.ts';
import type { AttributeProto, NodeProto, TensorProto } from './file/onnx-pb.ts';
import { AttributeProto_AttributeType as Type } from './file/onnx-pb.ts';

const TEXT = new TextDecoder();

/** Attributes of one node, read by name and type. */
export class Attributes {
  readonly #node: string;
  readonly #byName: ReadonlyMap<string, AttributeProto>;

  constructor({ name, opType, attribute }: NodeProto) {
    this.#node = `${opType} "${name}"`;
    this.#byName = new Map(attribute.map((entry) => [entry.name, entry]));
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  int(name: string, absent: number): number {
    const entry = this.#find(name, Type.INT);
    return entry === null ? absent : Number(entry.i);
  }

  float(name: string, absent: number): number {
    return this.#find(name, Type.FLOAT)?.f ?? absent;
  }

  text(name: string, absent: string): string {
    const entry = this.#find(name, Type.STRING);
    return entry === null ? absent : TEXT.decode(entry.s);
  }

  ints(name: string): number[] | null {
    return this.#find(name, Type.INTS)?.ints.map(Number) ?? null;
  }

  floats(name: string): number[] | null {
    return this.#find(name, Type.FLOATS)?.floats ?? null;
  }

  tensor(name: string): TensorProto | null {
    return this.#find(name, Type.TENSOR)?.t ?? null;
  }

  #find(name: string, type: Type): AttributeProto | null {
    const entry = this.#byName.get(name);
    if (entry === undefined) return null;
    if (entry.type === type) return entry;
    throw new InvalidInputError(
      `model node ${this.#node}: expected attribute "${name}" of ONNX type ${type}, received type ${entry.type}`,
      { attribute: name, expected: type, received: entry.type },
    );
  }
}
