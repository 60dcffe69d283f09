/**
 * A mistake in the command line or in a file: the program prints the message as one line on standard error and exits
 * with status 2. Any other error is a defect of the program and keeps its stack trace.
 */
export class UserError extends Error {
  override name = "UserError";
}
