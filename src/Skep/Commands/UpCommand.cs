using System.CommandLine;

namespace Skep.Commands;

internal static class UpCommand
{
    public static Command Create() => new("up", "A swarm of three machines with a demo service, on this machine, ready to try.");
}
