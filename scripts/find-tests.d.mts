export function findTests(root: string, only?: string): string[];
