using System.CommandLine;

namespace Skep.Commands.Net;

internal static class NetCommand
{
    public static Command Create() => new("net", "What a node's network holds and does.") { NetStatusCommand.Create() };
}
