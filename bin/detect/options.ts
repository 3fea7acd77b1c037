import { InvalidArgumentError } from 'commander';

/** `level=80,holdMs=30000` as numbers by name. */
export function parseParametersOption(text: string): Record<string, number> {
  const parameters: Record<string, number> = {};
  for (const pair of text.split(',')) {
    const [name = '', value = '', ...rest] = pair.split('=').map((part) => part.trim());
    if (name === '' || value === '' || rest.length > 0 || !Number.isFinite(Number(value))) {
      throw new InvalidArgumentError(`"${pair}" is not name=number.`);
    }
    if (Object.hasOwn(parameters, name)) throw new InvalidArgumentError(`${name} is given twice.`);
    parameters[name] = Number(value);
  }
  return parameters;
}

export function parseNamesOption(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('Give names with commas between them.');
  if (new Set(names).size < names.length) throw new InvalidArgumentError('A name is given twice.');
  return names;
}
