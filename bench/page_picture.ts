/**
 * The picture of the page of `web`: both embedded models with a sample, in headless Chromium.
 *
 *     deno run -A --lock=dev.lock bench/page_picture.ts    writes docs/pictures/page.png
 *
 * @module
 */
import { openPage, ready } from "../tests/web/open_page.ts";

await using opened = await openPage({ viewport: { width: 900, height: 620 } });
const { page } = opened;
await ready(page);
await page.getByRole("button", { name: "Sample 2" }).click();
await page.getByText(/median of \d runs/).waitFor();
await page.screenshot({
  path: decodeURIComponent(new URL("../docs/pictures/page.png", import.meta.url).pathname),
  fullPage: true,
});
