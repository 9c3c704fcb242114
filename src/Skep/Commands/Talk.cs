using Spectre.Console;
using Spectre.Console.Rendering;

namespace Skep.Commands;

/// <summary>What is said to the person at the terminal, on stderr, so that stdout stays data.</summary>
internal static class Talk
{
    private static readonly Lock s_gate = new();
    private static readonly Lazy<IAnsiConsole> s_console = new(Open);
    private static long s_begun;

    /// <summary>Times are counted from here.</summary>
    public static void Begin() => s_begun = TimeProvider.System.GetTimestamp();

    /// <summary>One line of progress, with the seconds since the program began.</summary>
    public static void Step(string text)
    {
        lock (s_gate)
        {
            var seconds = TimeProvider.System.GetElapsedTime(s_begun).TotalSeconds;
            s_console.Value.MarkupLineInterpolated($"[grey]{seconds,5:0.0} s[/]  {text}");
        }
    }

    public static void Show(IRenderable what)
    {
        lock (s_gate)
        {
            s_console.Value.Write(what);
        }
    }

    private static IAnsiConsole Open() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(Console.Error),
        Ansi = Console.IsErrorRedirected ? AnsiSupport.No : AnsiSupport.Detect,
    });
}
