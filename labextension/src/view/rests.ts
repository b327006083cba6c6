// How often what goes on changing is asked for again, while what was told last is shown.
//
// Each call of a running cell makes the details of that cell old, many times a second. Telling
// them takes the kernel a time that grows with the run, and its thread is the cell's own time.

/** An answer that came sooner costs nobody anything, milliseconds. */
const QUICK_MS = 20;
/** A rest is so many times as long as the answer took: asking takes a tenth of the time. */
const RESTS = 9;
const REST_MS_MAX = 10_000;

export class Rests {
  private about = "";
  /** When it was asked, -1 where no answer is awaited. */
  private asked = -1;
  private until = 0;
  private later = 0;
  /** Whether something changed after it was asked, so that the answer may be old. */
  private missed = false;

  /** Given is what asks again, when it is time for what came too early. */
  constructor(private readonly again: () => void) {}

  /** Whether to ask now. What is asked about anew, or for the first time, is asked at once. */
  allow(about: string): boolean {
    if (about !== this.about) this.end();
    this.about = about;
    const now = performance.now();
    if (this.asked < 0 && now >= this.until) {
      this.asked = now;
      return true;
    }
    if (this.asked < 0) this.wait();
    else this.missed = true;
    return false;
  }

  answered(): void {
    if (this.asked < 0) return;
    const took = performance.now() - this.asked;
    this.asked = -1;
    this.until = took > QUICK_MS ? performance.now() + Math.min(REST_MS_MAX, RESTS * took) : 0;
    if (this.missed) this.wait();
    this.missed = false;
  }

  /** Whoever was asked is gone, or nobody wants to know any more. */
  end(): void {
    window.clearTimeout(this.later);
    this.asked = -1;
    this.about = "";
    this.until = this.later = 0;
    this.missed = false;
  }

  private wait(): void {
    this.later ||= window.setTimeout(() => this.over(), Math.max(0, this.until - performance.now()));
  }

  private over(): void {
    this.later = 0;
    this.again();
  }
}
