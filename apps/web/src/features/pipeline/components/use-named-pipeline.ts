import { useSearch } from '@tanstack/react-router';

/** The pipeline that the address names, on whatever screen. */
export function useNamedPipeline(): string | undefined {
  return useSearch({ strict: false, select: ({ pipeline }) => pipeline });
}
