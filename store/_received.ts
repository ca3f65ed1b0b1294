/**
 * Whether `value` is a class, not a function to call: the prototype of a class cannot be replaced.
 * That of a constructor in older code can, but it has methods.
 */
export function isClass(value: unknown): boolean {
  if (typeof value !== "function") return false;
  const prototype = Object.getOwnPropertyDescriptor(value, "prototype");
  if (typeof prototype?.value !== "object") return false;
  return !prototype.writable || Object.getOwnPropertyNames(prototype.value).length > 1;
}

/** Describes the value that a constructor received instead of a client, for an error message. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return `it is ${value}`;
  if (typeof value === "string") return "it is a string: create a client from it first";
  if (typeof (value as PromiseLike<unknown>).then === "function") {
    return "it is a Promise: await it first";
  }
  if (typeof value === "function") {
    const { name } = value;
    if (isClass(value)) return `it is the class ${name}: create an instance with new`;
    return `it is the function ${name || "without a name"}: call it to create a client`;
  }
  if (typeof value !== "object") return `it is a ${typeof value}`;
  const { constructor } = value as { constructor?: { name?: string } };
  const name = constructor?.name;
  return name === undefined || name === "Object"
    ? `it is an object with ${Object.keys(value).slice(0, 5).join(", ") || "no properties"}`
    : `it is a ${name}`;
}
