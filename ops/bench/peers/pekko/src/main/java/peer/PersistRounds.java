package peer;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;

/**
 * Persists one event a command, by turns over all accounts: arguments are the accounts and the commands in flight. Each
 * line on stdin is a number of commands; each is answered with a line of JSON, and the end of stdin is the end.
 */
public final class PersistRounds {
  private static final long PATIENCE_SECONDS = 240;

  public record Persist(Runnable done) {}

  public record Event(
      String eventId, String accountId, String deviceId, String titleId, long version, long at, long expiresAt) {}

  static final class State {
    long version = 0;
  }

  static final class Account extends EventSourcedBehavior<Persist, Event, State> {
    private final String id;

    Account(String id) {
      super(PersistenceId.ofUniqueId(id));
      this.id = id;
    }

    @Override
    public State emptyState() {
      return new State();
    }

    @Override
    public CommandHandler<Persist, Event, State> commandHandler() {
      return newCommandHandlerBuilder()
          .forAnyState()
          .onCommand(
              Persist.class,
              (state, command) -> {
                long now = System.currentTimeMillis();
                String eventId = UUID.randomUUID().toString();
                Event event =
                    new Event(eventId, id, "phone-" + id, "metropolis-1927", state.version + 1, now, now);
                return Effect().persist(event).thenRun(after -> command.done().run());
              })
          .build();
    }

    @Override
    public EventHandler<State, Event> eventHandler() {
      return newEventHandlerBuilder()
          .forAnyState()
          .onEvent(
              Event.class,
              (state, event) -> {
                state.version = event.version();
                return state;
              })
          .build();
    }
  }

  public static void main(String[] arguments) {
    int accounts = Integer.parseInt(arguments[0]);
    int inFlight = Integer.parseInt(arguments[1]);
    String run = UUID.randomUUID().toString().substring(0, 8);
    ActorSystem.create(
        Behaviors.setup(
            context -> {
              List<ActorRef<Persist>> all = new ArrayList<>();
              for (int number = 0; number < accounts; number++) {
                String id = run + "-" + number;
                all.add(context.spawn(new Account(id), id));
              }
              var asked = new LinkedBlockingQueue<Integer>();
              new Thread(() -> read(asked), "reader").start();
              new Thread(() -> answer(asked, all, inFlight), "rounds").start();
              return Behaviors.empty();
            }),
        "peer");
  }

  /** Reads ahead, so that the end of stdin ends a round that hangs as well. */
  private static void read(BlockingQueue<Integer> asked) {
    try (var lines = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        asked.add(Integer.parseInt(line.trim()));
      }
      System.exit(0);
    } catch (Exception error) {
      error.printStackTrace();
      System.exit(1);
    }
  }

  private static void answer(BlockingQueue<Integer> asked, List<ActorRef<Persist>> accounts, int inFlight) {
    try {
      while (true) {
        int commands = asked.take();
        double seconds = round(accounts, commands, inFlight);
        System.out.printf(Locale.ROOT, "{\"persisted\": %d, \"seconds\": %.6f}%n", commands, seconds);
        System.out.flush();
      }
    } catch (Exception error) {
      error.printStackTrace();
      System.exit(1);
    }
  }

  private static double round(List<ActorRef<Persist>> accounts, int commands, int inFlight) throws Exception {
    var free = new Semaphore(inFlight);
    var left = new CountDownLatch(commands);
    var persist =
        new Persist(
            () -> {
              free.release();
              left.countDown();
            });
    long began = System.nanoTime();
    for (int number = 0; number < commands; number++) {
      if (!free.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("nothing was persisted for " + PATIENCE_SECONDS + " s");
      }
      accounts.get(number % accounts.size()).tell(persist);
    }
    if (!left.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException(left.getCount() + " commands are not persisted");
    }
    return (System.nanoTime() - began) / 1e9;
  }
}
