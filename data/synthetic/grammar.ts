// The sentences of the corpus: home commands by intent. A template has alternatives "(a|b)", optional parts "[a]" and
// lists "{room}".

const LISTS: Readonly<Record<string, string>> = {
  ask: "[please|could you|can you]",
  end: "[now|right now]",
  room: "(kitchen|bedroom|living room|bathroom|hallway|garage|office|dining room|nursery|basement)",
  color: "(red|green|blue|yellow|purple|orange|white|pink)",
  percent: "(ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety) percent",
  degrees: "(sixteen|seventeen|eighteen|nineteen|twenty|twenty one|twenty two|twenty three) degrees",
  cover: "(blinds|curtains|shutters)",
  genre: "(jazz|rock|classical music|country|blues|folk|dance music|opera)",
  player: "(music|radio|television)",
  bit: "[a bit|a little]",
  hour: "(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)",
  part: "(fifteen|thirty|forty five)",
  number: "(two|three|five|ten|fifteen|twenty|thirty|forty|fifty)",
  door: "(front|back|garage|cellar|garden|balcony)",
  day: "(today|tomorrow|on monday|on tuesday|on wednesday|on thursday|on friday|on saturday|on sunday)",
  city: "(london|paris|berlin|madrid|boston|chicago|tokyo|rome)",
  item: "(milk|bread|eggs|butter|coffee|apples|bananas|rice|cheese|tomatoes|sugar|soap)",
  dish: "(pasta|pizza|cake|soup|tea|laundry)",
  machine: "(dishwasher|washing machine|coffee machine|oven|fan|dryer)",
};

/** Templates by class, `scenario_action`. */
const INTENTS: Readonly<Record<string, readonly string[]>> = {
  light_on: [
    "{ask} (turn|switch) on the {room} (light|lights) {end}",
    "{ask} (turn|switch) the {room} lights on {end}",
  ],
  light_off: [
    "{ask} (turn|switch) off the {room} (light|lights) {end}",
    "{ask} (turn|switch) the {room} lights off {end}",
  ],
  light_dim: ["{ask} (dim|set) the {room} (light|lights) to {percent}"],
  light_color: ["{ask} (make|turn) the {room} (light|lights) {color} {end}"],
  heating_set: [
    "{ask} (set|heat) the {room} to {degrees}",
    "{ask} set the temperature in the {room} to {degrees}",
  ],
  heating_up: [
    "{ask} make the {room} {bit} warmer {end}",
    "{ask} turn up the heating in the {room}",
    "it is [too|very] cold in the {room}",
  ],
  heating_down: [
    "{ask} make the {room} {bit} cooler {end}",
    "{ask} turn down the heating in the {room}",
    "it is [too|very] hot in the {room}",
  ],
  cover_open: ["{ask} (open|raise) the {cover} in the {room} {end}"],
  cover_close: ["{ask} (close|lower) the {cover} in the {room} {end}"],
  music_play: [
    "{ask} (play|put on) [some] {genre} in the {room}",
    "i want to hear [some] {genre} in the {room}",
  ],
  music_stop: ["{ask} (stop|pause) the {player} in the {room} {end}"],
  volume_up: ["{ask} turn up the {player} {bit} in the {room}", "the {player} in the {room} is too quiet"],
  volume_down: ["{ask} turn down the {player} {bit} in the {room}", "the {player} in the {room} is too loud"],
  alarm_set: [
    "{ask} (wake me up|set an alarm) {day} at {hour} [{part}]",
    "{ask} (wake me up|set an alarm) at {hour} [{part}]",
  ],
  timer_set: ["{ask} set a timer for {number} (minutes|seconds) [for the {dish}]"],
  door_lock: ["{ask} lock the {door} door [at {hour}|now|when i leave]"],
  door_unlock: ["{ask} unlock the {door} door [at {hour}|now|when i come home]"],
  weather_query: [
    "what is the weather [like] in {city} {day}",
    "will it (rain|snow|be sunny) in {city} {day}",
    "do i need (an umbrella|a coat) in {city} {day}",
  ],
  list_add: [
    "{ask} add [some|more|two|three] {item} to the shopping list {end}",
    "{ask} put [some|more|two|three] {item} on the shopping list {end}",
  ],
  machine_start: ["{ask} (start|run) the {machine} [in {number} minutes|at {hour}|now]"],
};

/** All sentences: classes in alphabetical order, each with the sentences of each of its templates. */
export function allSentences(): ReadonlyMap<string, readonly (readonly string[])[]> {
  return new Map(Object.keys(INTENTS).sort().map((intent) => [intent, INTENTS[intent]!.map(sentences)]));
}

/** The distinct sentences of a template: lower case, words separated by one space. */
function sentences(template: string): string[] {
  return [...new Set(expand(template).map((text) => text.replace(/ +/g, " ").trim()))];
}

/**
 * Expands a template.
 *
 * @param template Words with "(a|b)", "[a|b]" and "{list}", nested to any depth.
 * @returns All expansions, at least one; spaces are kept.
 * @throws {SyntaxError} If a bracket is not closed or a list is unknown.
 */
export function expand(template: string): string[] {
  const text = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const list = LISTS[name];
    if (list === undefined) {
      throw new SyntaxError(`Cannot expand ${template} as its lists must be known: ${name}`);
    }
    return list;
  });
  const at = text.search(/[([]/);
  if (at < 0) return [text];
  const { options, end } = parseGroup(text, at);
  const rest = expand(text.slice(end));
  const heads = text[at] === "[" ? ["", ...options] : options;
  return heads.flatMap(expand).flatMap((head) => rest.map((tail) => text.slice(0, at) + head + tail));
}

/** The alternatives of the bracket that opens at an index, and the index after its end. */
function parseGroup(text: string, at: number): { options: string[]; end: number } {
  const options: string[] = [];
  let depth = 0;
  let from = at + 1;
  for (let i = at; i < text.length; i++) {
    if (text[i] === "(" || text[i] === "[") depth++;
    if (text[i] === ")" || text[i] === "]") depth--;
    if (depth === 0 || (depth === 1 && text[i] === "|")) {
      options.push(text.slice(from, i));
      from = i + 1;
    }
    if (depth === 0) return { options, end: i + 1 };
  }
  throw new SyntaxError(`Cannot expand ${text} as every bracket must close: the one at ${at} does not`);
}
