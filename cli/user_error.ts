/**
 * A user's mistake: the command line prints the message as its one line on standard error and ends
 * with status 2. Any other error is a fault of the program and keeps its stack trace.
 */
export class UserError extends Error {
  override name = "UserError";
}
