using Spectre.Console;

namespace Skep.Commands;

/// <summary>What is said to the person at the terminal, on stderr, so that stdout stays data.</summary>
internal static class Talk
{
    private static readonly Lock s_gate = new();
    private static readonly long s_begun = TimeProvider.System.GetTimestamp();
    private static readonly IAnsiConsole s_console =
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>One line of progress, with the seconds since the program began.</summary>
    public static void Step(string text)
    {
        lock (s_gate)
        {
            var seconds = TimeProvider.System.GetElapsedTime(s_begun).TotalSeconds;
            s_console.MarkupLineInterpolated($"[grey]{seconds,5:0.0} s[/]  {text}");
        }
    }

    public static void Show(Spectre.Console.Rendering.IRenderable what)
    {
        lock (s_gate)
        {
            s_console.Write(what);
        }
    }
}
