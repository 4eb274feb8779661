/** What does not hold, in words, with the number of the check (secure/log/bundle_checks.py, meetings/evidence.py). */

export interface Fault {
  readonly check: number;
  readonly where: string;
  readonly what: string;
}

/** The file is no bundle: nothing in it is judged. */
export class Unreadable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Unreadable";
  }
}
