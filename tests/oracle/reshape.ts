export { reshape } from "./nd.ts";
