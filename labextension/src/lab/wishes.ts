// What somebody wishes of the sidebar, as the settings have it; where there are none, all.

import type { Settings } from "./jupyterlab";

type Wish = "notifications" | "badges";

export class Wishes {
  private settings: Settings | null = null;
  private readonly hearers: (() => void)[] = [];

  get notifications(): boolean {
    return this.settings?.composite.notifications !== false;
  }

  get badges(): boolean {
    return this.settings?.composite.badges !== false;
  }

  take(settings: Settings): void {
    this.settings = settings;
    settings.changed.connect(() => this.tell());
    this.tell();
  }

  /** Wish the opposite from now on. */
  turn(wish: Wish): void {
    void this.settings?.set(wish, !this[wish]);
  }

  /** Be called now, and when a wish has changed. */
  on(hear: () => void): void {
    this.hearers.push(hear);
    hear();
  }

  private tell(): void {
    for (const hear of this.hearers) hear();
  }
}
