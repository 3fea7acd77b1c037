export function whyOutOfDate(root: string): string | undefined;
