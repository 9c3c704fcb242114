using System.CommandLine;

namespace Skep.Commands.Lab;

internal static class LabCommand
{
    public static Command Create() => new("lab", "Machines in namespaces on this one, each with a real daemon.");
}
