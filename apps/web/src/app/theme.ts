import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/**
 * The visual language, in one place. Few colours, each with one meaning everywhere:
 * teal is live, violet is replay, green is proven or healthy, amber wants a look, red wants a hand. Everything else is ink on paper.
 * All text pairs reach WCAG AA (4.5:1) on `paper` and on `surface`.
 */
const light = {
  '--sw-paper': '#f3f5f3',
  '--sw-surface': '#ffffff',
  '--sw-sunken': '#e9edeb',
  '--sw-line': '#d5dcd9',
  '--sw-line-strong': '#83918d',
  '--sw-ink': '#13201e',
  '--sw-ink-soft': '#4b5b57',
  '--sw-live': '#0a6f6b',
  '--sw-live-fill': '#15958e',
  '--sw-live-wash': '#dcf1ee',
  '--sw-replay': '#5540c9',
  '--sw-replay-fill': '#7a68e3',
  '--sw-replay-wash': '#e9e6fb',
  '--sw-good': '#146c3e',
  '--sw-good-fill': '#2f9a62',
  '--sw-good-wash': '#def2e6',
  '--sw-warn': '#8a4b00',
  '--sw-warn-fill': '#e09a1f',
  '--sw-warn-wash': '#fdf0d5',
  '--sw-bad': '#b3211a',
  '--sw-bad-fill': '#d63b31',
  '--sw-bad-wash': '#fde5e2',
  '--sw-neutral-fill': '#9aa7a3',
  '--sw-shadow': '0 1px 2px rgb(19 32 30 / 6%)',
};

const dark: typeof light = {
  '--sw-paper': '#0d1413',
  '--sw-surface': '#151e1c',
  '--sw-sunken': '#1e2927',
  '--sw-line': '#2a3734',
  '--sw-line-strong': '#6d7f7a',
  '--sw-ink': '#e5ece9',
  '--sw-ink-soft': '#a3b3ae',
  '--sw-live': '#54d3c8',
  '--sw-live-fill': '#2bb3a8',
  '--sw-live-wash': '#10312e',
  '--sw-replay': '#b0a4ff',
  '--sw-replay-fill': '#8c7cf0',
  '--sw-replay-wash': '#262046',
  '--sw-good': '#6fd69d',
  '--sw-good-fill': '#3fae74',
  '--sw-good-wash': '#12301f',
  '--sw-warn': '#f5bb5c',
  '--sw-warn-fill': '#dd9a2c',
  '--sw-warn-wash': '#372708',
  '--sw-bad': '#ff8f86',
  '--sw-bad-fill': '#e2554b',
  '--sw-bad-wash': '#3f1512',
  '--sw-neutral-fill': '#5d6d69',
  '--sw-shadow': 'none',
};

/** Mantine's own variables, pointed at the same tokens. */
const bridge = {
  '--mantine-color-body': 'var(--sw-surface)',
  '--mantine-color-text': 'var(--sw-ink)',
  '--mantine-color-dimmed': 'var(--sw-ink-soft)',
  '--mantine-color-default': 'var(--sw-surface)',
  '--mantine-color-default-hover': 'var(--sw-sunken)',
  '--mantine-color-default-color': 'var(--sw-ink)',
  '--mantine-color-default-border': 'var(--sw-line)',
  '--mantine-color-placeholder': 'var(--sw-ink-soft)',
  '--mantine-color-error': 'var(--sw-bad)',
};

export const resolveTokens: CSSVariablesResolver = () => ({
  variables: {},
  light: { ...light, ...bridge },
  dark: { ...dark, ...bridge },
});

const spill: MantineColorsTuple = [
  '#e6f6f4',
  '#cdeae7',
  '#9ed6d0',
  '#6ac3ba',
  '#45b3a9',
  '#279e95',
  '#128079',
  '#0a6f6b',
  '#075a57',
  '#043f3e',
];
const alarm: MantineColorsTuple = [
  '#fdeceb',
  '#f9d5d2',
  '#f2a9a4',
  '#ec7b73',
  '#e2554b',
  '#d63b31',
  '#c52d24',
  '#b3211a',
  '#8f1812',
  '#6b110d',
];
const mist: MantineColorsTuple = [
  '#f3f5f3',
  '#e9edeb',
  '#dfe5e2',
  '#d5dcd9',
  '#b9c4c0',
  '#9aa7a3',
  '#83918d',
  '#4b5b57',
  '#2c3a37',
  '#13201e',
];
const ink: MantineColorsTuple = [
  '#e5ece9',
  '#c7d2ce',
  '#a3b3ae',
  '#7d8f8a',
  '#3a4a46',
  '#2a3734',
  '#1e2927',
  '#151e1c',
  '#0d1413',
  '#080d0c',
];

export const theme = createTheme({
  primaryColor: 'spill',
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  luminanceThreshold: 0.32,
  colors: { spill, alarm, gray: mist, dark: ink },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace',
  defaultRadius: 8,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: {
      defaultProps: {
        centered: true,
        size: 'lg',
        radius: 12,
        padding: 20,
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: { title: { fontWeight: 700, lineHeight: 1.3 } },
    },
    // What names a field, what explains it and the ring of its focus stand clear of each other.
    InputWrapper: {
      styles: { label: { marginBottom: 4 }, description: { marginBottom: 2, fontSize: 13 } },
    },
    Tooltip: { defaultProps: { multiline: true, maw: 320 } },
    // Mantine's grey for the marks is too faint for text.
    Slider: { styles: { markLabel: { color: 'var(--sw-ink-soft)', fontSize: 12 } } },
    Button: { defaultProps: { size: 'sm' } },
  },
});
