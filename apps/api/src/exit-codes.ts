/** With which a process of ours ends in a sentence (leave.ts), of sysexits.h. A service manager may try again after the first two (deploy/systemd). */
export const EXIT_UNREACHABLE = 69;
export const EXIT_IN_USE = 75;
export const EXIT_WRONG_SETTINGS = 78;
