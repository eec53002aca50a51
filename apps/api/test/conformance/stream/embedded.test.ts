import { fileURLToPath } from 'node:url';
import { streamConformance } from './stream-conformance.ts';

streamConformance('embedded stream', fileURLToPath(new URL('embedded.adapter.ts', import.meta.url)));
