using System.CommandLine;
using System.Globalization;
using Skep.Lab;

namespace Skep.Commands.Lab;

/// <summary>What the verbs of the lab have in common.</summary>
internal static class LabArguments
{
    public static Option<string> Name() => new("--name")
    {
        Description = "The lab's name; labs of different names share nothing",
        DefaultValueFactory = _ => "lab",
    };

    public static Argument<int> Node()
    {
        var node = new Argument<int>("node") { Description = "Number of the machine, 1 and up" };
        node.CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            var digits = text.StartsWith("node", StringComparison.Ordinal) ? text[4..] : text;
            if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
            {
                return number;
            }

            result.AddError($"'{text}' is no machine; machines are numbered from 1.");
            return 0;
        };
        return node;
    }

    public static Option<string> Format() => new("--format")
    {
        Description = "table or json",
        DefaultValueFactory = _ => "table",
    };

    public static LabEngine Engine(string name) => new(new LabPlace(name), TimeProvider.System, Talk.Step);

    /// <summary>A verb on one machine of one lab.</summary>
    public static Command NodeVerb(
        string verb, string description, Func<LabEngine, int, ParseResult, CancellationToken, Task> run, params Option[] options)
    {
        var (name, node) = (Name(), Node());
        var command = new Command(verb, description) { node, name };
        foreach (var option in options)
        {
            command.Add(option);
        }

        command.SetAction((parsed, cancellationToken) => Privileged.RunAsync(
            () => run(Engine(parsed.GetValue(name)!), parsed.GetValue(node), parsed, cancellationToken)));
        return command;
    }
}
